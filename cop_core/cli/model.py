"""Commands on the network: evaluate, train, weights."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from cop_core.cli.options import Device, Seed, Weights
from cop_core.cli.progress import progress_bar
from cop_core.errors import InputError
from cop_core.writing import replace_files

weights = typer.Typer(
    name="weights", help="List, verify and export trained weights.", no_args_is_help=True
)


def evaluate(
    folders: Annotated[list[Path], typer.Argument(help="Folders of clean pictures, one a domain.")],
    estimator: Weights = "default",
    prior: Annotated[str, typer.Option(help="Prior of the strengths: paper, wide ...")] = "paper",
    crops: Annotated[int, typer.Option(min=8, help="Crops a domain.")] = 256,
    seed: Seed = 0,
    device: Device = "auto",
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file.")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option("--figures", help="Write features.* and residuals.* to this folder."),
    ] = None,
) -> None:
    """Accuracy on clean pictures that are given known noise, domain by domain."""
    from cop_core.reading import load_estimator
    from cop_core.training.evaluation import evaluate as evaluate_domains

    loaded = load_estimator(estimator, device=device)
    with progress_bar() as move:
        evaluation = evaluate_domains(
            folders,
            loaded,
            prior=prior,
            crops=crops,
            seed=seed,
            features=pictures is not None,
            progress=lambda done, total: move("crops", done, total),
        )
    found = evaluation.to_dict()
    if json_path:
        _write_json(json_path, found)
    if pictures:
        from cop_core.report.evaluation_figure import save_figures

        save_figures(evaluation.readings, loaded.components, pictures, seed=seed)
    Console().print(_accuracy_table(found, loaded.components))


def train(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run.")],
    genome: Annotated[
        list[str] | None,
        typer.Option(help="Noise to learn; give it again for a shared encoder. [microscopy]"),
    ] = None,
    network: Annotated[str, typer.Option(help="default or paper (ViT-B/16).")] = "default",
    prior: Annotated[str, typer.Option(help="Prior of the strengths.")] = "mixture",
    contrastive_steps: Annotated[int, typer.Option(min=0)] = 150,
    head_steps: Annotated[int, typer.Option(min=0)] = 60,
    finetune_steps: Annotated[int, typer.Option(min=0)] = 3000,
    doubt_crops: Annotated[
        int, typer.Option(min=0, help="Crops to learn the uncertainty from, last of all.")
    ] = 8192,
    batch_size: Annotated[int, typer.Option(min=3)] = 96,
    uses: Annotated[int, typer.Option(min=1, help="Steps that learn from each batch.")] = 1,
    learning_rate: Annotated[float, typer.Option(min=0)] = 1e-3,
    decay_share: Annotated[
        float, typer.Option(min=0, max=1, help="Last share of each stage, with a falling rate.")
    ] = 0.25,
    alignment: Annotated[
        float,
        typer.Option(
            min=0, help="Weight of the distance between one noise's features on two images."
        ),
    ] = 0.0,
    ema: Annotated[
        float, typer.Option(min=0, max=1, help="Decay of the running mean of weights, which ships.")
    ] = 0.999,
    negatives: Annotated[
        Literal["same-image", "authors"],
        typer.Option(help="Keep the same image under other noise as a negative, or mask it."),
    ] = "same-image",
    scenes: Annotated[int, typer.Option(min=3, help="Clean scenes to render.")] = 6000,
    seed: Seed = 0,
    start: Annotated[
        str | None, typer.Option(help="Weights to start from: a name or a .safetensors.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Train: contrastive stage, head on the frozen encoder, full fine-tuning.

    Ctrl-C writes a checkpoint; the same command goes on from it.
    """
    try:
        from cop_core.training import TrainConfig
        from cop_core.training.train_and_save import train_and_save
    except ModuleNotFoundError as error:
        raise InputError(
            f"training needs {error.name}", advice='Install it: pip install "napari-cop[train]"'
        ) from error

    config = TrainConfig(
        genomes=tuple(genome or ["microscopy"]),
        network=network,
        prior=prior,
        contrastive_steps=contrastive_steps,
        head_steps=head_steps,
        finetune_steps=finetune_steps,
        doubt_crops=doubt_crops,
        batch_size=batch_size,
        uses=uses,
        learning_rate=learning_rate,
        decay_share=decay_share,
        alignment=alignment,
        ema=ema,
        negatives=negatives,
        scenes=scenes,
        seed=seed,
    )
    with progress_bar() as move, _interruptible() as stop:
        paths = train_and_save(
            config,
            output,
            start=start,
            device=device,
            report=lambda p: move(p.stage, p.done, p.total, p.title),
            cancelled=stop.is_set,
        )
    for path in paths:
        typer.echo(str(path))


@weights.command("list")
def list_weights() -> None:
    """Show the weights that ship: genome, size, hash."""
    from cop_core.network.weights import packaged, read_card

    table = Table("name", "genome", "network", "MB", "SHA-256")
    for name, path in packaged().items():
        card = read_card(path)
        size = f"{path.stat().st_size / 1e6:.1f}"
        shape = f"{card.network.depth} layers, width {card.network.width}"
        table.add_row(name, card.genome.name, shape, size, card.sha256[:16])
    Console().print(table)


@weights.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or paths; all that ship where none is given.")
    ] = None,
) -> None:
    """Check hash, card and shapes of weights."""
    from cop_core.network.weights import load_network, locate, packaged

    for name in names or list(packaged()):
        _, card = load_network(locate(name))
        typer.echo(f"{name}: good, {card.sha256}")


@weights.command()
def export(
    name: Annotated[str, typer.Argument(help="Name of weights that ship.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to copy them to.")],
) -> None:
    """Copy weights and their card to a folder."""
    from cop_core.network.weights import locate

    path = locate(name)
    try:
        parts = {output / part.name: part for part in (path, path.with_suffix(".json"))}
        replace_files({target: part.read_bytes() for target, part in parts.items()})
    except OSError as error:
        raise InputError(f"cannot write ({error.strerror})", where=str(output)) from error
    for target in parts:
        typer.echo(target)


@contextmanager
def _interruptible() -> Iterator[Event]:
    """Yield an event that Ctrl-C sets, so that a run can save before it stops."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    try:
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        replace_files({path: text.encode()})
    except OSError as error:
        raise InputError(f"cannot write ({error.strerror})", where=str(path)) from error


def _accuracy_table(found: dict[str, dict[str, object]], components: tuple[str, ...]) -> Table:
    settings = found["settings"]
    title = (
        f"{settings['prior']} prior, {settings['genome']} genome, "
        f"{settings['crops_per_domain']} crops a domain, seed {settings['seed']}"
    )
    heads = ("domain", "RMSE", "R2", *(f"R2 of\n{c.replace('_', ' & ')}" for c in components))
    table = Table(*heads, title=title, padding=(0, 0))
    rows: dict[str, object] = {**found["domains"], "overall": found["overall"]}
    for name, row in rows.items():
        assert isinstance(row, dict)
        r2 = [row["r2"], *(row["r2_by_component"][c] for c in components)]
        shown = ("–" if value is None else f"{value:.3f}" for value in r2)
        table.add_row(name, f"{row['rmse']:.4f}", *shown)
    return table
