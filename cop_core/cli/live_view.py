"""Output while a stack is read: its noise against depth, or JSON lines."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cop_core.cli.output import bars
from cop_core.pipeline import Opened, SoFar, Stepped
from cop_core.recipes import MW
from cop_core.records import left_out_text
from cop_core.report import label

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.records import PlaneEstimate

Show = Callable[[object], None]

_REDRAW_S: Final = 0.25
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40


class WatchedStack:
    """State of the stack being read, from events.

    Attributes
    ----------
    components : tuple of str
        Names of the strengths.
    last : Stepped or None
        The last step.
    planes : dict of int to PlaneEstimate
        Planes as read so far.
    came : set of int
        Planes that arrived while it was watched.
    so_far : str
        Their interim verdict; empty if there is none yet.
    """

    def __init__(self) -> None:
        self.components: tuple[str, ...] = ()
        self.last: Stepped | None = None
        self.planes: dict[int, PlaneEstimate] = {}
        self.came: set[int] = set()
        self.so_far = ""

    def see(self, event: object) -> None:
        """Note an event."""
        if isinstance(event, Opened):
            self.components = event.components
        elif isinstance(event, SoFar):
            self.so_far = event.said
        elif isinstance(event, Stepped):
            if self.last is not None and event.stack != self.last.stack:
                self.planes, self.came, self.so_far = {}, set(), ""
            self.last, plane = event, event.step.estimate
            if plane is not None:
                self.planes[plane.index] = plane
                if not math.isnan(event.step.latency_s):
                    self.came.add(plane.index)


@contextmanager
def json_lines(seen: WatchedStack) -> Iterator[Show]:
    """Yield a callback that prints every plane once, when all its crops are read."""
    printed: set[int] = set()

    def show(event: object) -> None:
        seen.see(event)
        step = event.step if isinstance(event, Stepped) else None
        plane = step.estimate if step else None
        if step and plane and step.whole and plane.index not in printed:
            printed.add(plane.index)
            print(json_line(plane, seen.components, step.latency_s), flush=True)

    yield show


def json_line(estimate: PlaneEstimate, components: tuple[str, ...], latency_s: float) -> str:
    """Return a plane as one line of JSON.

    Parameters
    ----------
    estimate : PlaneEstimate
        The plane.
    components : tuple of str
        Names of its strengths.
    latency_s : float
        Time from the plane's completion to its reading; NaN if not known.
    """
    numbers = {
        "depth_um": estimate.depth_um,
        "power_mw": estimate.power if estimate.power_unit == MW else math.nan,
        "power": estimate.power,
        **dict(zip(components, estimate.mean.tolist(), strict=True)),
        "signal": estimate.signal,
        "latency_s": round(latency_s, 4),
    }
    row = {
        "plane": estimate.index,
        **{key: float(x) if math.isfinite(x) else None for key, x in numbers.items()},
        "power_unit": estimate.power_unit,
        "n_crops": estimate.n_crops,
        "excluded": bool(estimate.reason),
        "reason": estimate.reason,
        "flags": estimate.flags,
    }
    return json.dumps(row, allow_nan=False)


@contextmanager
def tables(seen: WatchedStack) -> Iterator[Show]:
    """Yield a callback that draws a table for each stack a few times a second, and bars before."""
    with ExitStack() as shown:
        bar: Show = shown.enter_context(bars())
        screen: Live | None = None
        drawn = 0.0

        def show(event: object) -> None:
            nonlocal screen, drawn
            before = seen.last
            seen.see(event)
            if not isinstance(event, Stepped):
                if not isinstance(event, SoFar):  # with the next step
                    bar(event)
                return
            if screen is None or before is None or before.stack != event.stack:
                shown.close()
                screen = shown.enter_context(Live(console=Console(), auto_refresh=False))
            if event.step.ended or time.monotonic() - drawn > _REDRAW_S:
                screen.update(live_table(seen, event), refresh=True)
                drawn = time.monotonic()

        yield show


def live_table(seen: WatchedStack, now: Stepped) -> Table:
    """Return the strengths read so far as a table, with a curve over depth for each."""
    planes = [seen.planes[index] for index in sorted(seen.planes)]
    kept = [plane for plane in planes if not plane.reason]
    depths = [plane.depth_um for plane in kept]
    span = f"{min(depths):g} to {max(depths):g} µm" if depths else "depth"
    count = f"{len(planes)} of {now.planned}" if now.planned else f"{len(planes)}"
    left_out = left_out_text(plane.reason for plane in planes)
    caption = [_lag(now), *([seen.so_far] if seen.so_far else [])]
    counted = ", ".join(filter(None, (f"{count} planes", left_out)))
    title = f"{now.name}: {now.step.state.value}, {counted}"
    table = Table("noise", "last, %", span, "highest, %", title=title, caption="\n".join(caption))
    for component, values in zip(seen.components, np.array([p.mean for p in kept]).T, strict=False):
        last, high = f"{100 * values[-1]:.1f}", f"{100 * values.max():.1f}"
        table.add_row(label(component), last, sparkline(values), high)
    return table


def sparkline(values: npt.NDArray[np.float64], width: int = _WIDTH) -> str:
    """Return values as a line of blocks from 0 to their maximum, averaged down to a width."""
    means = [part.mean() for part in np.array_split(values, min(width, len(values)))]
    top = max(*means, 1e-9)
    return "".join(_BLOCKS[min(int(8 * mean / top), 7)] for mean in means)


def _lag(now: Stepped) -> str:
    step = now.step
    latency = "" if math.isnan(step.latency_s) else f", {step.latency_s:.2f} s behind"
    return f"{step.planes_waiting} planes waiting, {step.crops_put_off} crops deferred{latency}"
