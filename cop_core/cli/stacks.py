"""Commands on stacks: profile, compare, simulate."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from cop_core.cli.options import AS_FILE, Options, Seed, with_options
from cop_core.cli.progress import progress_bar
from cop_core.errors import InputError

if TYPE_CHECKING:
    from cop_core.report import Result
    from cop_core.stacks import Stack
    from cop_core.statistics import DepthProfile
    from cop_core.statistics.depth_window import Window as Depths

Out = Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.")]

Window = Annotated[
    str | None,
    typer.Option(
        "--window-um",
        metavar="LOW:HIGH",
        help="Depths in um that enter fits, 800:1300, or 800: or :1300 where one side is open.",
    ),
]

Rule = Annotated[
    Literal["default", "paper"],
    typer.Option(help="Statistics: this package's, or the paper's own choices."),
]
Margin = Annotated[
    float | None,
    typer.Option(
        help="Slope that counts as none, in strength per 100 um (0.01 is one percentage "
        "point): tests whether slopes are smaller."
    ),
]
Sensitivity = Annotated[
    bool,
    typer.Option(
        "--sensitivity",
        help="Read again with every other normalisation and report how slopes differ.",
    ),
]
Hash = Annotated[
    bool | None,
    typer.Option(
        "--hash/--no-hash",
        help="SHA-256 of stacks in the report; by itself for those of up to 20 GB.",
        show_default=False,
    ),
]

POWER = (
    "mW as a number, a CSV (depth_um,power_mw), gained:P0,l,Pmax, or metadata (as the file states)."
)


@with_options
def profile(
    stack: Annotated[Path, typer.Argument(help="TIFF or zarr.")],
    output: Out,
    power: Annotated[str | None, typer.Option(help=f"Power: {POWER}")] = None,
    window: Window = None,
    sensitivity: Sensitivity = False,
    hashed: Hash = None,
    *,
    options: Options,
) -> None:
    """Noise against depth of one stack: report.html, report.json, planes.csv and figures."""
    depths = given_window(window)
    stacks = open_stacks([stack], [power or AS_FILE], [None], options)
    (result,) = _within(_read(stacks, options), depths)
    others = _others(stacks, options, depths) if sensitivity else {}
    _finish(result, output, others, hashed=hashed)


@with_options
def compare(
    fixed: Annotated[Path, typer.Argument(help="Stack at fixed power.")],
    gained: Annotated[Path, typer.Argument(help="Stack at depth-gained power.")],
    output: Out,
    power: Annotated[
        tuple[str, str] | None, typer.Option(help=f"Powers of both: each {POWER}")
    ] = None,
    rule: Rule = "default",
    errors: Annotated[
        Literal["ar1", "paired", "bootstrap"],
        typer.Option(
            help="Error of the slope difference: correlated planes in each stack, differences "
            "at shared depths, or blocks of planes drawn again."
        ),
    ] = "ar1",
    window: Window = None,
    margin: Margin = None,
    sensitivity: Sensitivity = False,
    hashed: Hash = None,
    *,
    options: Options,
) -> None:
    """Compare a fixed-power stack with a depth-gained one: slopes, R2, Cohen's d.

    --z-step-um, --channel, --time and --axes hold for both stacks where given once; given
    twice, for the fixed and the gained one, where "metadata" means what the file states.
    """
    from cop_core.statistics import Choices
    from cop_core.statistics import compare as compare_profiles

    depths = given_window(window)
    Choices(rule=rule, errors=errors, margin_per_100_um=margin)  # refused before minutes of reading
    powers = power or (AS_FILE, AS_FILE)
    stacks = open_stacks([fixed, gained], powers, ["fixed", "gained"], options)
    first, second = _read(stacks, options)
    result = compare_profiles(
        first,
        second,
        rule=rule,
        errors=errors,
        window_um=depths,
        margin_per_100_um=margin,
        seed=options.seed,
    )
    others = _others(stacks, options, depths) if sensitivity else {}
    _finish(result, output, others, hashed=hashed)


def simulate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pair.")],
    preset: Annotated[
        str, typer.Option(help="sample (60 planes of 256x256) or paper (326 of 512x512).")
    ] = "sample",
    seed: Seed = 0,
) -> None:
    """Simulate a three-photon stack at fixed and at gained power, with the truth beside it."""
    from cop_core.simulator import write_pair

    with progress_bar() as move:
        files = write_pair(
            output, preset, seed, lambda done, total: move("simulating planes", done, total)
        )
    for path in (files.fixed, files.gained, files.truth):
        typer.echo(str(path))


def open_stacks(
    paths: Sequence[Path], powers: Sequence[str], names: Sequence[str | None], options: Options
) -> list[Stack]:
    """Open every stack, so that a bad one is refused before the first is read for minutes."""
    from cop_core.stacks import open_stack

    each = zip(paths, powers, names, options.opening(len(paths)), strict=True)
    return [
        open_stack(path, power=given_power(power), name=name, **opening)
        for path, power, name, opening in each
    ]


def _read(stacks: Sequence[Stack], options: Options) -> list[DepthProfile]:
    from cop_core.reading import profile as read_profile

    settings, estimator = options.settings(), options.load()
    with progress_bar() as move:
        return [
            read_profile(
                stack, estimator=estimator, settings=settings, progress=partial(move, stack.name)
            )
            for stack in stacks
        ]


def _others(
    stacks: Sequence[Stack], options: Options, depths: Depths | None
) -> dict[str, list[DepthProfile]]:
    """Read the stacks with every normalisation but the one chosen."""
    from cop_core.reading.normalisation import NORMALISATIONS

    return {
        other: _within(_read(stacks, replace(options, normalisation=other)), depths)
        for other in NORMALISATIONS
        if other != options.normalisation
    }


def _within(profiles: list[DepthProfile], depths: Depths | None) -> list[DepthProfile]:
    from cop_core.statistics import within

    return profiles if depths is None else [within(p, depths) for p in profiles]


def _finish(
    result: Result,
    output: Path,
    others: Mapping[str, Sequence[DepthProfile]],
    *,
    hashed: bool | None,
) -> None:
    from cop_core.report import summary_table, write_report

    with progress_bar() as move:
        folder = write_report(
            result,
            output,
            command=shlex.join(["cop", *sys.argv[1:]]),
            others=others,
            hashed=hashed,
            progress=partial(move, "SHA-256, bytes"),
        )
    console = Console()
    console.print(summary_table(result))
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True, highlight=False)


def given_power(text: str) -> float | str | None:
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


def given_window(text: str | None) -> Depths | None:
    """Return a window option as two limits, None where open."""
    from cop_core.statistics.depth_window import limits_um

    if text is None:
        return None
    low, colon, high = text.partition(":")
    try:
        limits = [float(part) if part else None for part in (low, high)]
    except ValueError:
        limits = [math.nan]
    if not colon or any(x is not None and not math.isfinite(x) for x in limits):
        raise InputError(
            f"{text!r} is no window of depth", where="--window-um", advice="Give LOW:HIGH in um"
        )
    limits_um((limits[0], limits[1]))
    return limits[0], limits[1]
