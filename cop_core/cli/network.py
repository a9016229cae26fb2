"""Commands on the network: bench, evaluate, train, weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.table import Table

from cop_core.cli.asked import asks
from cop_core.cli.output import bars, interruptible, tell
from cop_core.components import COMPONENT_NAMES
from cop_core.errors import InputError
from cop_core.recipes import BenchRecipe, EvaluateRecipe, TrainRecipe
from cop_core.writing import placed, replace_files, require_place, require_place_of

Format = Literal["safetensors", "bioimageio"]

weights = typer.Typer(
    name="weights", help="List, verify and export trained weights.", no_args_is_help=True
)


@asks(
    EvaluateRecipe,
    folders="Folders of clean images, one per domain, or one folder that holds them all.",
)
def evaluate(
    recipe: EvaluateRecipe,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file.")
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures",
            help="Write domains.*, strengths.*, residuals.* and features.* to this folder.",
        ),
    ] = None,
) -> None:
    """Measure accuracy on clean images with known noise added, domain by domain.

    A folder whose name begins with one of the paper's twelve domains (chest_xray, histopathology,
    retina, mri, microscopy, universe, satellite, textures, sketches, comics, underwater, natural)
    counts as that domain.

    Exit codes: 0 done, 1 done but some could not be read, 2 bad input or usage, 130 cancelled.
    """
    from cop_core.pipeline import run

    if json_path:
        require_place_of(json_path)
    if figures:
        require_place(figures)
    with bars() as show:
        evaluation = run(recipe.but(features=figures is not None), on_event=show)
    found = evaluation.to_dict()
    if json_path:
        _write_json(json_path, found)
    tell(*_evaluated(found, evaluation.components))
    if figures:
        from cop_core.report.evaluation_figure import save_figures

        save_figures(evaluation, figures)
    if found["left_out"]:
        raise typer.Exit(1)


@asks(BenchRecipe)
def bench(
    recipe: BenchRecipe,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Measure how fast this machine reads: crops and planes per second, on CPU and GPU."""
    from cop_core.bench import to_dict
    from cop_core.pipeline import run

    found = to_dict(recipe, run(recipe))
    if as_json:
        print(json.dumps(found, allow_nan=False))
    else:
        tell(_speed_table(found))


def _speed_table(found: dict[str, Any]) -> Table:
    """Return the speeds as a table, with a column for each device."""
    machine, devices = found["machine"], found["devices"]
    title = f"{machine['processor']}, {machine['threads']} threads"
    table = Table("", *(f"{one['device']}, {one['precision']}" for one in devices), title=title)
    for name, form in _SPEEDS.items():
        shown = (format(one[name], form) if one[name] is not None else "–" for one in devices)
        table.add_row(name.replace("_", " "), *shown)
    return table


_SPEEDS: Final = {
    "crops_per_s": ".1f",
    "planes_per_s": ".1f",
    "statistics_crops_per_s": ".1f",
    "transformer_crops_per_s": ".1f",
    "share_of_parts": ".0%",
    "gflop_per_crop": ".2f",
    "matrix_gflops": ".0f",
    "share_of_matrix_rate": ".1%",
    "transformer_share_of_matrix_rate": ".1%",
    "peak_memory_mib": ".0f",
}
"""Rows of the table of speeds, and their format."""


@asks(TrainRecipe)
def train(
    recipe: TrainRecipe,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the run.")],
) -> None:
    """Train a network: contrastive stage, head on the frozen encoder, full fine-tuning.

    Ctrl-C writes a checkpoint; the same command continues from it.
    """
    from cop_core.pipeline import run

    with bars() as show, interruptible() as stop:
        paths = run(recipe, folder=output, on_event=show, cancelled=stop.is_set)
    tell(*map(str, paths))


@weights.command("list")
def list_weights() -> None:
    """Show the shipped weights: genome, size, hash."""
    from cop_core.network.weights import packaged, read_card

    table = Table("name", "genome", "network", "MB", "SHA-256")
    for name, path in packaged().items():
        card = read_card(path)
        size = f"{path.stat().st_size / 1e6:.1f}"
        shape = f"{card.network.depth} layers, width {card.network.width}"
        table.add_row(name, card.genome.name, shape, size, card.sha256[:16])
    tell(table)


@weights.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names or paths of weights; all shipped weights by default."),
    ] = None,
) -> None:
    """Check hash, card and shapes of weights."""
    from cop_core.network.weights import load_network, locate, packaged

    for name in names or list(packaged()):
        _, card = load_network(locate(name))
        tell(f"{name}: OK, {card.sha256}")


@weights.command()
def export(
    name: Annotated[
        str, typer.Argument(help="Name of shipped weights, or a path.", metavar="NAME")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="safetensors with their card, or bioimageio: ONNX in a BioImage Model Zoo "
            "package (needs the extra export; takes minutes).",
        ),
    ] = "safetensors",
) -> None:
    """Copy weights and their card to a folder, or convert them for other programs."""
    from cop_core.network.weights import locate

    path = locate(name)
    if form == "bioimageio":
        tell(str(_write_model(path, output)))
        return
    try:
        parts = {output / part.name: part for part in (path, path.with_suffix(".json"))}
        replace_files({target: part.read_bytes() for target, part in parts.items()})
    except OSError as error:
        raise InputError(f"cannot write ({error.strerror})", where=str(output)) from error
    for target in parts:
        tell(str(target))


def _write_model(path: Path, output: Path) -> Path:
    """Write a package of the BioImage Model Zoo beside its target, then move it there."""
    from cop_core.network.weights import load_network

    try:
        from cop_core.network.model_zoo import write_model
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is not installed", advice='Type pip install "napari-cop[export]"'
        ) from error
    with placed(output) as fresh:
        made = write_model(*load_network(path), fresh / f"{path.stem}.bioimageio.zip")
    return output / made.name


def _write_json(path: Path, content: dict[str, Any]) -> None:
    try:
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        replace_files({path: text.encode()})
    except OSError as error:
        raise InputError(f"cannot write ({error.strerror})", where=str(path)) from error


_HYPHENATED: Final = {
    "salt_pepper": "salt &\npepper",
    "quantization": "quanti-\nzation",
    "anisotropic": "aniso-\ntropic",
}
"""Short names of components for a table of 80 columns."""


def _evaluated(found: dict[str, Any], components: tuple[str, ...]) -> Iterator[str | Table]:
    """Yield the results of an evaluation, the verdict first."""
    yield found["verdict"]
    yield _accuracy_table(found, components)
    of_paper = found["paper_domains"]
    if of_paper["overall"]:
        yield _table_beside_paper(found, components)
    for what in ("missing", "extra"):
        if of_paper[what]:
            yield f"{what}: {', '.join(of_paper[what])}"
    for path, why in found["left_out"].items():
        yield f"left out: {path}: {why}"


def _accuracy_table(found: dict[str, Any], components: tuple[str, ...]) -> Table:
    settings = found["settings"]
    title = (
        f"{settings['prior']} prior, {settings['genome']} genome, "
        f"{settings['crops_per_domain']} crops per domain, seed {settings['seed']}"
    )
    table = Table(title=title, caption="± standard error over images", padding=(0, 0))
    table.add_column("domain", overflow="fold")
    for head in ("RMSE", "R2", *(f"R2 of\n{_HYPHENATED.get(c, c)}" for c in components)):
        table.add_column(head, no_wrap=True)
    rows: dict[str, Any] = {**found["domains"], "overall": found["overall"]}
    for name, row in rows.items():
        r2 = (row["r2_by_component"][c] for c in components)
        table.add_row(
            name,
            _with_error(row["rmse"], row["rmse_se"], ".4f"),
            _with_error(row["r2"], row["r2_se"], ".3f"),
            *("–" if value is None else f"{value:.3f}" for value in r2),
        )
    return table


def _with_error(value: float | None, error: float | None, form: str) -> str:
    said = "–" if value is None else format(value, form)
    return said if error is None else f"{said}\n±{error:{form}}"


def _table_beside_paper(found: dict[str, Any], components: tuple[str, ...]) -> Table:
    """Return a table of the means over the paper's domains beside the paper's own."""
    ours = {**found["paper_domains"]["overall"]}
    ours["mmd"] = found.get("domain_shift", {}).get("mean_squared_mmd")
    several = [ours, *found["paper"].values()]
    n = len(found["paper_domains"]["folders"])
    read = n - len(found["paper_domains"]["missing"])
    title = "mean ± SD over domains; the paper's are of its own noise, prior and images"
    table = Table("", f"here, {read} of {n}", "paper, CoP", "paper, scratch", title=title)
    for name, form in {"rmse": ".3f", "r2": ".3f"}.items():
        table.add_row(name.upper(), *(_mean_and_sd(one, name, form) for one in several))
    for c in components:
        values = [one["r2_by_component"].get(c) for one in several]
        table.add_row(f"R2 of {COMPONENT_NAMES.get(c, c)}", *_beside(values, "–"))
    table.add_row("MMD", *_beside([one["mmd"] for one in several], "with --figures"))
    return table


def _mean_and_sd(means: dict[str, Any], name: str, form: str) -> str:
    if means[name] is None:
        return "–"
    return f"{means[name]:{form}} ± {means[f'{name}_sd']:{form}}"


def _beside(values: list[float | None], without: str) -> Iterator[str]:
    """Yield a result, those of the paper, and the reason if one is missing."""
    for value, why in zip(values, (without, "not given", "not given"), strict=True):
        yield why if value is None else f"{value:.3f}"
