"""Commands on stacks: profile, compare, simulate."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from cop_core.cli.options import AS_FILE, Options, Seed, with_options
from cop_core.cli.progress import progress_bar
from cop_core.errors import InputError

if TYPE_CHECKING:
    from cop_core.depth import DepthProfile
    from cop_core.report import Result
    from cop_core.stacks import Stack

Out = Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.")]

_POWER = (
    "mW as a number, a CSV (depth_um,power_mw), gained:P0,l,Pmax, or metadata (as the file states)."
)


@with_options
def profile(
    stack: Annotated[Path, typer.Argument(help="TIFF or zarr.")],
    output: Out,
    power: Annotated[str | None, typer.Option(help=f"Power: {_POWER}")] = None,
    *,
    options: Options,
) -> None:
    """Noise against depth of one stack: report.json, planes.csv and figures."""
    (result,) = _read(_open([stack], [power or AS_FILE], [None], options), options)
    _finish(result, output)


@with_options
def compare(
    fixed: Annotated[Path, typer.Argument(help="Stack at fixed power.")],
    gained: Annotated[Path, typer.Argument(help="Stack at depth-gained power.")],
    output: Out,
    power: Annotated[
        tuple[str, str] | None, typer.Option(help=f"Powers of both: each {_POWER}")
    ] = None,
    rule: Annotated[
        Literal["default", "paper"],
        typer.Option(help="Statistics: this package's, or the paper's own choices."),
    ] = "default",
    *,
    options: Options,
) -> None:
    """Compare a fixed-power stack with a depth-gained one: slopes, R2, Cohen's d.

    --z-step-um, --channel, --time and --axes hold for both stacks where given once; given
    twice, for the fixed and the gained one, where "metadata" means what the file states.
    """
    from cop_core.depth import compare as compare_profiles

    powers = power or (AS_FILE, AS_FILE)
    stacks = _open([fixed, gained], powers, ["fixed", "gained"], options)
    first, second = _read(stacks, options)
    _finish(compare_profiles(first, second, rule=rule, seed=options.seed), output)


def simulate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pair.")],
    preset: Annotated[
        str, typer.Option(help="sample (60 planes of 256x256) or paper (326 of 512x512).")
    ] = "sample",
    seed: Seed = 0,
) -> None:
    """Simulate a three-photon stack at fixed and at gained power, with the truth beside it."""
    from cop_core.simulation import write_pair

    with progress_bar() as move:
        files = write_pair(
            output, preset, seed, lambda done, total: move("simulating planes", done, total)
        )
    for path in (files.fixed, files.gained, files.truth):
        typer.echo(str(path))


def _open(
    paths: Sequence[Path], powers: Sequence[str], names: Sequence[str | None], options: Options
) -> list[Stack]:
    """Open every stack, so that a bad one is refused before the first is read for minutes."""
    from cop_core.stacks import open_stack

    each = zip(paths, powers, names, options.opening(len(paths)), strict=True)
    return [
        open_stack(path, power=_power(power), name=name, **opening)
        for path, power, name, opening in each
    ]


def _read(stacks: Sequence[Stack], options: Options) -> list[DepthProfile]:
    from cop_core.estimation import profile as read_profile

    settings, estimator = options.settings(), options.load()
    with progress_bar() as move:
        return [
            read_profile(
                stack, estimator=estimator, settings=settings, progress=partial(move, stack.name)
            )
            for stack in stacks
        ]


def _finish(result: Result, output: Path) -> None:
    from cop_core.report import summary_table, write_report

    command = shlex.join(["cop", *sys.argv[1:]])
    folder = write_report(result, output, command=command)
    console = Console()
    console.print(summary_table(result))
    console.print(f"report: {folder / 'report.json'}", soft_wrap=True, highlight=False)


def _power(text: str) -> float | str | None:
    """Return a power option as a number where it is one, None where the file states it."""
    if text == AS_FILE:
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        raise InputError(f"a power of {text} mW", where="--power", advice="Give a finite number")
    return value
