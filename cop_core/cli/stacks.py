"""Commands on stacks: profile, compare, simulate."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.console import Console

from cop_core.cli.progress import Move, progress_bar
from cop_core.errors import InputError

if TYPE_CHECKING:
    from cop_core.depth import DepthProfile
    from cop_core.estimation import Estimator, Settings
    from cop_core.report import Result

ZStep = Annotated[
    float | None,
    typer.Option("--z-step-um", help="Distance between planes in um, where the file does not say."),
]
Channel = Annotated[str | None, typer.Option(help="Channel, by number from 0 or by name.")]
Time = Annotated[int | None, typer.Option(help="Time point, from 0.")]
Axes = Annotated[
    str | None, typer.Option(help="Order of the axes, for example ZCYX, where the file is wrong.")
]
Weights = Annotated[
    str,
    typer.Option(
        "--estimator",
        "--weights",
        help="Weights: default (microscopy noise), paper-small (the paper's), or a .safetensors.",
    ),
]
Normalise = Annotated[
    Literal["plane-minmax", "plane-percentile", "stack-percentile"],
    typer.Option("--normalisation", help="What becomes 0 and 1 before the network reads a plane."),
]
Crops = Annotated[
    int | None,
    typer.Option(min=1, help="Random 192x192 crops a plane; without it every pixel is used."),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Offset = Annotated[
    float | None, typer.Option("--offset-counts", help="The detector's zero level, where known.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Partial = Annotated[
    bool, typer.Option("--allow-partial", help="Read what is left of a file that is cut off.")
]
Out = Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.")]

DEFAULT_NORMALISATION: Final = "plane-percentile"


def profile(
    stack: Annotated[Path, typer.Argument(help="TIFF or zarr.")],
    output: Out,
    power: Annotated[
        str | None,
        typer.Option(help="mW as a number, a CSV (depth_um,power_mw), or gained:P0,l,Pmax."),
    ] = None,
    z_step_um: ZStep = None,
    channel: Channel = None,
    time: Time = None,
    axes: Axes = None,
    estimator: Weights = "default",
    normalisation: Normalise = DEFAULT_NORMALISATION,
    crops: Crops = None,
    seed: Seed = 0,
    offset_counts: Offset = None,
    device: Device = "auto",
    allow_partial: Partial = False,
) -> None:
    """Noise against depth of one stack: report.json, planes.csv and figures."""
    from cop_core.estimation import Settings

    settings = Settings(normalisation, crops, seed, offset_counts)
    opening = {
        "z_step_um": z_step_um,
        "channel": _channel(channel),
        "time": time,
        "axes": axes,
        "allow_partial": allow_partial,
    }
    reader = _Reader(estimator, device, settings, opening)
    with progress_bar() as move:
        result = reader.read(stack, power, None, move)
    _finish(result, output)


def compare(
    fixed: Annotated[Path, typer.Argument(help="Stack at fixed power.")],
    gained: Annotated[Path, typer.Argument(help="Stack at depth-gained power.")],
    output: Out,
    power: Annotated[
        tuple[str, str] | None,
        typer.Option(
            help="Powers of both: each mW as a number, a CSV (depth_um,power_mw), "
            "or gained:P0,l,Pmax."
        ),
    ] = None,
    rule: Annotated[
        Literal["default", "paper"],
        typer.Option(help="Statistics: this package's, or the paper's own choices."),
    ] = "default",
    z_step_um: ZStep = None,
    channel: Channel = None,
    time: Time = None,
    axes: Axes = None,
    estimator: Weights = "default",
    normalisation: Normalise = DEFAULT_NORMALISATION,
    crops: Crops = None,
    seed: Seed = 0,
    offset_counts: Offset = None,
    device: Device = "auto",
    allow_partial: Partial = False,
) -> None:
    """Compare a fixed-power stack with a depth-gained one: slopes, R2, Cohen's d."""
    from cop_core.depth import compare as compare_profiles
    from cop_core.estimation import Settings

    settings = Settings(normalisation, crops, seed, offset_counts)
    opening = {
        "z_step_um": z_step_um,
        "channel": _channel(channel),
        "time": time,
        "axes": axes,
        "allow_partial": allow_partial,
    }
    reader = _Reader(estimator, device, settings, opening)
    powers = power or (None, None)
    with progress_bar() as move:
        both = [
            reader.read(path, mw, name, move)
            for path, mw, name in zip((fixed, gained), powers, ("fixed", "gained"), strict=True)
        ]
    _finish(compare_profiles(both[0], both[1], rule=rule, seed=seed), output)


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


@dataclass(frozen=True)
class _Reader:
    """Reads stacks with one set of options; the weights are loaded for the first that opens."""

    weights: str
    device: str
    settings: Settings
    opening: dict[str, Any]

    @cached_property
    def estimator(self) -> Estimator:
        from cop_core.estimation import load_estimator

        return load_estimator(self.weights, device=self.device)

    def read(self, path: Path, power: str | None, name: str | None, move: Move) -> DepthProfile:
        from cop_core.estimation import profile as read_profile
        from cop_core.stacks import open_stack

        stack = open_stack(path, power=_power(power), **self.opening)
        title = name or stack.name
        return read_profile(
            stack,
            estimator=self.estimator,
            settings=self.settings,
            name=title,
            progress=lambda done, total: move(title, done, total),
        )


def _finish(result: Result, output: Path) -> None:
    from cop_core.report import summary_table, write_report

    command = shlex.join(["cop", *sys.argv[1:]])
    folder = write_report(result, output, command=command)
    console = Console()
    console.print(summary_table(result))
    console.print(f"report: {folder / 'report.json'}", soft_wrap=True, highlight=False)


def _channel(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdigit() else text


def _power(text: str | None) -> float | str | None:
    """Return a power option as a number where it is one."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        raise InputError(f"a power of {text} mW", where="--power", advice="Give a finite number")
    return value
