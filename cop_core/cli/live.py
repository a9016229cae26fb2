"""The command on stacks that grow: watch."""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.live import Live

from cop_core.cli.options import AS_FILE, Options, with_options
from cop_core.cli.stacks import POWER, given_power
from cop_core.errors import CancelledError, InputError

if TYPE_CHECKING:
    from cop_core.reading.live import LiveReading
    from cop_core.reading.live_step import LiveStep
    from cop_core.stacks.growing import Source
    from cop_core.statistics import DepthProfile

_REST_S: Final = 0.02
_REDRAW_S: Final = 0.25

Show = Callable[["LiveStep"], None]


@with_options
def watch(
    path: Annotated[Path, typer.Argument(help="TIFF, zarr or folder of TIFFs; may not exist yet.")],
    power: Annotated[str | None, typer.Option(help=f"Power: {POWER}")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for a report at the end.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a plane and nothing else.")
    ] = False,
    stop_after: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            metavar="SECONDS",
            help="End after so long without a new plane, also without a first one."
            " [30 after the last plane]",
        ),
    ] = None,
    planes: Annotated[
        int | None, typer.Option(min=1, help="Planes in all, where the file does not say.")
    ] = None,
    *,
    options: Options,
) -> None:
    """Noise against depth while a stack is being acquired.

    Ends when all planes are there, when none came for a while, or at Ctrl-C.
    """
    from cop_core.reading.live import LiveReading
    from cop_core.stacks.growing import STOPPED_AFTER_S, open_growing

    (opening,) = options.opening(1)
    del opening["allow_partial"]  # what is there is read in any case
    source = open_growing(
        path,
        power=given_power(power or AS_FILE),
        stopped_after_s=stop_after or STOPPED_AFTER_S,
        planned=planes,
        **opening,
    )
    live = LiveReading(source, options.load(), options.settings())
    came: set[int] = set()
    with _lines(live) if as_json else _table(live, source) as show:
        cancelled = _follow(live, source, show, came, stop_after)
    text = f"{'cancelled' if cancelled else source.state.value}: {_count(len(came), source)}"
    if output and came:
        _report(live.profile, output, quiet=as_json)
    if cancelled:
        raise CancelledError(text, where=str(path))
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"{path}: {text}", markup=False)


def _follow(
    live: LiveReading, source: Source, show: Show, came: set[int], stop_after: float | None
) -> bool:
    """Read until the end, noting planes that came; return whether Ctrl-C was the end."""
    from cop_core.stacks.growing import State

    begun = time.monotonic()
    try:
        for step in live:
            if step.estimate is not None and not math.isnan(step.latency_s):
                came.add(step.estimate.index)
            show(step)
            if step.ended:
                break
            if step.idle:
                waited_s = time.monotonic() - begun
                if stop_after and step.state is State.WAITING and waited_s > stop_after:
                    raise InputError(
                        f"no plane came in {stop_after:g} s",
                        where=source.source,
                        advice="check the path, or wait longer",
                    )
                time.sleep(_REST_S)
    except KeyboardInterrupt:
        return True
    return False


def _count(came: int, source: Source) -> str:
    """Return how many planes came, of how many."""
    if source.planned:
        return f"{came} of {source.planned} planes"
    return f"{came} plane{'s' if came != 1 else ''}; how many were to come is not known"


def _report(profile: DepthProfile, output: Path, *, quiet: bool) -> None:
    """Write the report that `cop profile` would write."""
    from cop_core.report import repeat_command, summary_table, write_report

    try:
        command = repeat_command(profile, output)
    except InputError:  # not to be had again: stopped by hand
        command = shlex.join(["cop", *sys.argv[1:]])
    folder = write_report(profile, output, command=command)
    if not quiet:
        console = Console()
        console.print(summary_table(profile))
        console.print(f"report: {folder / 'report.json'}", soft_wrap=True, highlight=False)


@contextmanager
def _lines(live: LiveReading) -> Iterator[Show]:
    """Yield what prints every plane once, as JSON, when all its crops are read."""
    from cop_core.cli.live_view import json_line

    printed: set[int] = set()

    def show(step: LiveStep) -> None:
        plane = step.estimate
        if plane is not None and step.whole and plane.index not in printed:
            printed.add(plane.index)
            print(json_line(plane, live.profile.components, step.latency_s), flush=True)

    yield show


@contextmanager
def _table(live: LiveReading, source: Source) -> Iterator[Show]:
    """Yield what draws the table anew, a few times a second."""
    from cop_core.cli.live_view import live_table

    drawn = 0.0
    with Live(console=Console(), auto_refresh=False) as screen:

        def show(step: LiveStep) -> None:
            nonlocal drawn
            if step.ended or time.monotonic() - drawn > _REDRAW_S:
                screen.update(live_table(live.profile, step, source.planned), refresh=True)
                drawn = time.monotonic()

        yield show
