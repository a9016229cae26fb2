"""Commands that run a recipe and write its report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cop_core.cli.asked import asks
from cop_core.cli.output import bars, say, tell
from cop_core.recipes import (
    MW,
    AcquisitionOptions,
    CohortRecipe,
    CompareRecipe,
    DetectorRecipe,
    ProfileRecipe,
    Recipe,
    RecommendRecipe,
    SimulateCohortRecipe,
    SimulateRecipe,
    StackOptions,
    StudyRecipe,
    WorkersOptions,
    argv_of,
)
from cop_core.recipes.argv import command_line, typed_as
from cop_core.recipes.base import Plain, checked


def _folder(what: str) -> Any:
    return typer.Option("-o", "--output", metavar="DIR", help=f"Folder for the {what}.")


Out = Annotated[Path, _folder("report")]
Stacks = Annotated[Path, _folder("stacks")]
Images = Annotated[Path, _folder("images")]
Hash = Annotated[
    bool | None,
    typer.Option(
        "--hash/--no-hash",
        help="Include the SHA-256 of the stacks in the report; by default only up to 20 GB.",
        show_default=False,
    ),
]


def _study(said: Plain) -> StudyRecipe:
    """Read the plan of a study; other options fill the empty cells of its rows."""
    from cop_core.recipes.plan import doubtful_arms, read_plan
    from cop_core.stacks import read_power_table

    defaults = checked(StackOptions, said.pop("defaults"), ("defaults",))
    plan = said.pop("plan")
    recipe = read_plan(plan, read_power_table, defaults, **said)
    for doubt in doubtful_arms(recipe.stacks):
        say(f"warning: {plan}: {doubt}")
    return recipe


@asks(
    ProfileRecipe,
    stack="TIFF, zarr, a microscope's own file or folder, or the address of a zarr.",
)
def profile(
    recipe: ProfileRecipe, output: Out, workers: WorkersOptions, hashed: Hash = None
) -> None:
    """Measure noise against depth in a stack; write report.html, planes.csv and figures."""
    _report(recipe, output, "report.html", hashed, workers)


@asks(CompareRecipe, first="Stack of the first protocol.", second="Stack of the second protocol.")
def compare(
    recipe: CompareRecipe, output: Out, workers: WorkersOptions, hashed: Hash = None
) -> None:
    """Find out which of two protocols images deeper, by how much, and how certain that is.

    Protocols are named after their files, or by --name; differences are the first minus the
    second. Options for opening stacks apply to both stacks if passed once. Pass them twice for
    the first and the second stack; "metadata" then means the value in the file.
    """
    from cop_core.power import lacks_zero_level, next_recipe

    found = _report(recipe, output, "report.html", hashed, workers)
    if (following := next_recipe(found, recipe)) is not None:
        needed = ["offset_counts"] if lacks_zero_level(found) else []
        argv = argv_of(following, "power", to_fill_in=needed)
        fill_in = ", with the mean of a dark frame for COUNTS" if needed else ""
        tell(f"next{fill_in}: {command_line(['cop', *argv])}")


@asks(RecommendRecipe, stack="A stack acquired at known power.")
def recommend(recipe: RecommendRecipe, output: Out, hashed: Hash = None) -> None:
    """Recommend the power that holds the signal or a noise constant, up to a limit.

    Writes recommendation.json, power.csv (for --power), plan.json (for pymmcore-plus) and
    figures/power.*. Weights and crops matter only if a noise is held.
    """
    from cop_core.power import can_plan, require_plans

    if recipe.acquisition not in (None, AcquisitionOptions()):
        require_plans()
    found = _report(recipe, output, "power.csv", hashed)
    if found.unit == MW and not can_plan():
        tell('plan.json: not written, as it needs useq: pip install "napari-cop[live]"')


History = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="CSV table of measurements of this detector; a row is appended and a figure written "
        "beside it.",
        show_default=False,
    ),
]
Placed = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        help="Folder for the report, or a .json file to write only that.",
    ),
]


@asks(DetectorRecipe, movie="Movie of a static sample: about 50 frames of one field of view.")
def detector(
    recipe: DetectorRecipe, output: Placed, history: History = None, hashed: Hash = None
) -> None:
    """Measure a detector, for use with --detector: counts per photon, zero level, noise.

    Writes detector.json and figures/transfer.*. With dark frames (--dark) zero level and amplifier
    noise are measured; without them the zero level is extrapolated.
    """
    from cop_core.pipeline import run
    from cop_core.report import summary, write_document, write_report
    from cop_core.writing import require_place, require_place_of

    if history is not None:
        from cop_core.report.detector_history import add_to_history, require_history

        require_history(history)
    alone = output.suffix.lower() == ".json"
    write, require = (write_document, require_place_of) if alone else (write_report, require_place)
    require(output)
    with bars() as show:
        found = run(recipe, on_event=show)
        written = write(found, output, command=typed_as(recipe, output), hashed=hashed)
    tell(summary(found))
    tell(f"detector: {written if alone else written / 'detector.json'}")
    if history is not None:
        tell(*(f"history: {said}." for said in add_to_history(found, history)))


def plan(
    folder: Annotated[Path, typer.Argument(help="Folder with stacks below it.", metavar="FOLDER")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="CSV file to write; it must not exist yet.")
    ] = Path("plan.csv"),
) -> None:
    """List the stacks below a folder as a plan for `cop batch`, for you to fill in."""
    from cop_core.stacks.listing import write_plan

    found = write_plan(folder, output)
    n, n_without = len(found.stacks), found.arms.count("")
    tell(f"{output}: {n} stack{'s' if n > 1 else ''}")
    arm = (
        f"the column arm for {n_without}, with any names, because their paths contain neither "
        "fixed nor gained; and "
    )
    tell(
        f"fill in {arm * bool(n_without)}the column animal for all, if animals have several "
        "stacks: animals imaged in both arms are then compared in pairs"
    )
    for link in found.loops:
        tell(f"left out: {link}, a link to a folder that has already been searched")


@asks(
    StudyRecipe, _study, plan="CSV with stack,arm and, optionally, animal,channel,power,z_step_um."
)
def batch(recipe: StudyRecipe, output: Out, workers: WorkersOptions, hashed: Hash = None) -> None:
    """Read every stack of a plan and compare its arms; resumes where it stopped.

    Options for opening stacks apply to rows of the plan where the cell is empty.

    Exit codes: 0 done, 1 done but some stacks failed, 2 bad input or usage, 130 cancelled.
    """
    study = _report(recipe, output, "study.html", hashed, workers)
    n, before, failed = len(study.stacks), len(study.resumed), study.failed
    tell(f"{n} stacks: {n - before - len(failed)} read now, {before} before, {len(failed)} failed")
    for stack in failed:
        tell(f"failed: {stack.row.place} (line {stack.row.line}): {stack.error}")
    if failed:
        raise typer.Exit(1)


def _gathered(said: Plain) -> CohortRecipe:
    """List the images of a cohort, with the settings in files, names and the table."""
    from cop_core.cohort import gather
    from cop_core.pipeline import Working

    defaults = checked(StackOptions, said.pop("defaults"), ("defaults",))
    with bars() as show:
        found = gather(
            said["source"],
            defaults,
            pattern=said.get("pattern"),
            reference=said.get("reference"),
            progress=lambda done, total: show(Working("settings", done=done, total=total)),
        )
    if found.left_out:
        tell(f"left out: {len(found.left_out)} files whose names do not match the pattern")
    if found.not_used:
        tell(found.not_used)
    pictures = [one.plain() for one in found.pictures]
    recipe: CohortRecipe = CohortRecipe.of({**said, "defaults": defaults, "pictures": pictures})
    return recipe


@asks(CohortRecipe, _gathered, source="Folder of images or stacks, or a CSV with file,setting,...")
def cohort(recipe: CohortRecipe, output: Out, hashed: Hash = None) -> None:
    """Find out which settings drive which noise, from images taken with different settings.

    Settings come from the files (EXIF, OME-XML, ScanImage, Prairie View, ThorImage,
    Micro-Manager), from their names (--pattern) and from the columns of a CSV. Resumes where it
    was stopped. Writes cohort.html, cohort.json, cohort.csv, correlations.csv and figures.

    Exit codes: 0 done, 1 done but some images or references failed, 2 bad input or usage,
    130 cancelled.
    """
    found = _report(recipe, output, "cohort.html", hashed)
    n, before, failed = len(found.pictures), len(found.resumed), found.failed
    tell(
        f"{n} image{'s' * (n != 1)}: {n - before - len(failed)} read now, {before} before, "
        f"{len(failed)} failed"
    )
    for picture in failed:
        tell(f"failed: {picture.row.name}: {picture.error}")
    for picture in found.uncompared:
        tell(f"not compared: {picture.row.name}: {picture.reference_error}")
    if failed or found.uncompared:
        raise typer.Exit(1)


@asks(SimulateRecipe)
def simulate(recipe: SimulateRecipe, output: Stacks) -> None:
    """Simulate three-photon stacks at fixed and at gained power, and write the true values."""
    from cop_core.pipeline import run

    with bars() as show:
        files = run(recipe, folder=output, on_event=show)
    tell(*map(str, (files.fixed, files.gained, files.truth)))


@asks(SimulateCohortRecipe)
def simulate_cohort(recipe: SimulateCohortRecipe, output: Images) -> None:
    """Simulate images in which the effect of every setting is known, for cop cohort."""
    from cop_core.pipeline import run

    with bars() as show:
        tell(str(run(recipe, folder=output, on_event=show)))


def _report(
    recipe: Recipe,
    output: Path,
    shown: str,
    hashed: bool | None,
    workers: WorkersOptions | None = None,
) -> Any:
    """Run the recipe, print its tables, write its report, and return the record.

    The answer is printed first: drawing the figures takes as long as reading a small stack.
    """
    from cop_core.pipeline import Working, run
    from cop_core.pipeline.reading import require_some
    from cop_core.records import AnalysedProfile, Comparison
    from cop_core.report import summary, write_report
    from cop_core.writing import require_place

    require_place(output)
    with bars() as show:
        where = workers or WorkersOptions()
        found = run(recipe, folder=output, hashed=hashed, on_event=show, workers=where)
        if isinstance(found, AnalysedProfile | Comparison):
            for each in found.analysed:
                require_some(each.profile)
    tell(summary(found))
    with bars() as show:
        show(Working("report", done=0, total=1))
        folder = write_report(
            found,
            output,
            command=typed_as(recipe, output),
            hashed=hashed,
            progress=lambda done, total: show(Working("SHA-256, bytes", done=done, total=total)),
        )
        show(Working("report", done=1, total=1))
    tell(f"{Path(shown).stem}: {folder / shown}")
    return found
