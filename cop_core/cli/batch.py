"""Commands on a whole study: plan and batch."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cop_core.cli.options import Options, with_options
from cop_core.cli.progress import progress_bar
from cop_core.cli.stacks import Hash, Margin, Rule, Sensitivity, Window, given_power, given_window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cop_core.study import ChannelComparison, StudyStack


def plan(
    folder: Annotated[Path, typer.Argument(help="Folder with TIFF and zarr stacks below it.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="CSV file to write; it must not exist.")
    ] = Path("plan.csv"),
) -> None:
    """List the stacks below a folder as a plan for `cop batch`, to be filled in."""
    from cop_core.study import write_plan

    n, n_without = write_plan(folder, output)
    typer.echo(f"{output}: {n} stack{'s' if n > 1 else ''}")
    if n_without:
        typer.echo(f"fill in the arm of {n_without}: no name says fixed or gained")


@with_options
def batch(
    plan: Annotated[
        Path, typer.Argument(help="CSV: stack,arm and animal,channel,power,z_step_um as wanted.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the study.")],
    power: Annotated[
        str | None, typer.Option(help="Power of rows that state none; as for cop profile.")
    ] = None,
    rule: Rule = "default",
    window: Window = None,
    margin: Margin = None,
    sensitivity: Sensitivity = False,
    hashed: Hash = None,
    *,
    options: Options,
) -> None:
    """Read every stack of a plan and compare the arms; goes on where it was stopped.

    Options that say how stacks are opened hold for rows of the plan that say nothing.

    Exit codes: 0 done, 1 done but for stacks that failed, 2 bad input or usage, 130 cancelled.
    """
    from cop_core.statistics import Choices
    from cop_core.study import make_study, read_plan

    rows = read_plan(plan)
    depths = given_window(window)
    choices = Choices(rule, seed=options.seed, margin_per_100_um=margin)
    opening = {"power": given_power(power) if power else None, **options.opening(1)[0]}
    with progress_bar() as move:
        study = make_study(
            rows,
            output,
            estimator=options.load(),
            settings=options.settings(),
            opening=opening,
            hashed=hashed,
            window_um=depths,
            choices=choices,
            sensitivity=sensitivity,
            command=shlex.join(["cop", *sys.argv[1:]]),
            stacks=partial(move, "stacks"),
            planes=lambda place, done, total: move("planes", done, total, place),
        )
    console = Console()
    for line in _summary(study.stacks, study.comparisons):
        console.print(line)
    console.print(f"study: {study.folder / 'study.html'}", soft_wrap=True, highlight=False)
    if any(stack.error for stack in study.stacks):
        raise typer.Exit(1)


def _summary(
    stacks: Sequence[StudyStack], compared: Sequence[ChannelComparison]
) -> Iterator[Table | Text]:
    for each in compared:
        if each.result is not None:
            yield _table(each)
        for warning in each.result.warnings if each.result else (each.note,):
            yield Text(f"! {warning}", style="yellow")
        for place, reason in each.left_out:
            yield Text(f"! left out: {place}, {reason}", style="yellow")
    resumed, failed = sum(s.resumed for s in stacks), [s for s in stacks if s.error]
    yield Text(
        f"{len(stacks)} stacks: {len(stacks) - resumed - len(failed)} read now, "
        f"{resumed} before, {len(failed)} failed"
    )
    for stack in failed:
        yield Text(f"failed: {stack.row.place} (line {stack.row.line}): {stack.error}", style="red")


def _table(each: ChannelComparison) -> Table:
    from cop_core.report.protocols import label
    from cop_core.report.table import p_text, slope_with_interval, value_with_interval

    assert each.result is not None
    channel = f", channel {each.channel}" if each.channel else ""
    table = Table(
        title=Text(
            f"fixed ({len(each.fixed)}) minus gained ({len(each.gained)}){channel}: "
            "slope in % per 100 µm, Cohen's d, 95 % CI"
        ),
        title_justify="left",
    )
    table.add_column("component", no_wrap=True)
    for column in ("slope", "p (Holm)", "d"):
        table.add_column(column, justify="right", overflow="fold")
    for effect in each.result.effects:
        table.add_row(
            label(effect.component),
            slope_with_interval(effect.slope_difference_per_um, effect.ci95),
            p_text(effect.p_holm),
            value_with_interval(effect.cohen_d, effect.cohen_d_ci95),
        )
    return table
