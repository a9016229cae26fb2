"""The work on a study, without Qt: stacks looked at, then read and compared."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from cop_core.errors import CancelledError, CopError
from cop_core.stacks import open_stack
from cop_core.statistics import Choices
from napari_cop._preload import preload_torch
from napari_cop._reading import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from threading import Event

    from cop_core.stacks import Stack
    from cop_core.statistics.depth_window import Window
    from cop_core.study import Row, Study, StudyStack

_T = TypeVar("_T")
_TELL_S: Final = 0.5
"""Least time in s between two words on progress."""
_SURE_S: Final = 10.0
"""Time in s of reading after which the time left is worth saying."""
USUAL: Final = Choices()


@dataclass(frozen=True)
class StudyRequest:
    """What to do; fields as in `cop_core.study.make_study`, settings as arguments of `Settings`."""

    plan: Path
    directory: Path
    settings: dict[str, Any]
    weights: str = "default"
    device: str = "auto"
    choices: Choices = USUAL
    window_um: Window | None = None
    sensitivity: bool = False

    @property
    def command(self) -> str:
        """The command line that does the same."""
        from cop_core.study import batch_command

        device = {} if self.device == "auto" else {"device": self.device}
        return batch_command(
            self.plan,
            self.directory,
            loaded_with={"weights": self.weights, **device},
            settings=self.settings,
            choices=self.choices,
            window_um=self.window_um,
            sensitivity=self.sensitivity,
        )


@dataclass(frozen=True)
class Told:
    """Where the reading stands: a stack by its place, and hundredths of all stacks done."""

    place: str
    text: str
    done: int
    total: int


@dataclass(frozen=True)
class Look:
    """What a stack's file says, by column of the plan, and what is wrong with it, if anything."""

    stated: dict[str, str]
    planes: str = ""
    problem: str = ""


def look_at(row: Row) -> Look:
    """Open a stack, but for its pixels."""
    try:
        stack = open_stack(row.stack, **row.opening)
    except (CopError, OSError) as error:
        return Look({}, problem=str(error).removeprefix(f"{row.stack}: "))
    planes, height, width = stack.shape
    return Look(_stated(stack), f"{planes} planes, {height} × {width}")


def run_plan(
    request: StudyRequest, stop: Event
) -> Generator[str | Opened | Told | StudyStack, None, Study | None]:
    """Make a study, telling of every stack; soon after `stop` is set return None.

    Raises
    ------
    CopError
        Where it cannot be made at all.
    """
    yield "Loading the network …"
    preload_torch()
    import cop_core.study  # noqa: F401 - the slow import, so that the next word comes after it

    yield Opened((), (), ())
    yield "Opening every stack …"
    try:
        return (yield from _telling(partial(_make, request, stop)))
    except CancelledError:
        return None


def _make(request: StudyRequest, stop: Event, tell: Callable[[Any], None]) -> Study:
    from cop_core.reading import Settings, load_estimator
    from cop_core.study import make_study, read_plan

    progress = _Progress(tell)
    return make_study(
        read_plan(request.plan),
        request.directory,
        estimator=load_estimator(request.weights, device=request.device),
        settings=Settings(**request.settings),
        window_um=request.window_um,
        choices=request.choices,
        sensitivity=request.sensitivity,
        command=request.command,
        stacks=progress.stacks,
        planes=progress.planes,
        finished=tell,
        cancelled=stop.is_set,
    )


class _Progress:
    """Says how far a study is, and how long it will take."""

    def __init__(self, tell: Callable[[Any], None]) -> None:
        self._tell = tell
        self._done = self._total = self._before = 0
        self._begun = self._told = -np.inf

    def stacks(self, done: int, total: int) -> None:
        if not self._total:
            self._before, self._begun = done, time.monotonic()
        self._done, self._total = done, total

    def planes(self, place: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_S:
            return
        self._told = now
        share = done / total
        if not self._total:  # a file that was moved is told by its hash
            self._tell(Told(place, f"{place}: comparing, {share:.0%}", 0, 0))
            return
        text = f"{place}: {share:.0%} · stack {self._done + 1} of {self._total}"
        read = self._done - self._before + share
        text += self._left(
            (now - self._begun) / max(read, 1e-9) * (self._total - self._done - share)
        )
        self._tell(Told(place, text, round(100 * (self._done + share)), 100 * self._total))

    def _left(self, seconds: float) -> str:
        if self._told - self._begun < _SURE_S:
            return ""
        minutes = round(seconds / 60)
        if minutes < 1:
            return " · less than a minute left"
        hours, rest = divmod(minutes, 60)
        return f" · {hours} h {rest:02d} min left" if hours else f" · {minutes} min left"


def _telling(call: Callable[[Callable[[Any], None]], _T]) -> Generator[Any, None, _T]:
    """Make a call that tells through a callback, and yield what it tells."""
    news: SimpleQueue[Any] = SimpleQueue()
    ended = object()
    with ThreadPoolExecutor(1) as pool:
        end = pool.submit(call, news.put)
        end.add_done_callback(lambda _: news.put(ended))
        while (one := news.get()) is not ended:
            yield one
    return end.result()


def _stated(stack: Stack) -> dict[str, str]:
    steps = np.diff(stack.depth_um)
    found = {
        "z_step_um": f"{np.median(steps):g}" if np.isfinite(steps).all() and len(steps) else "",
        "channel": str(stack.metadata.get("channel_name") or ""),
        "power": _range(stack.power_mw[np.isfinite(stack.power_mw)]),
    }
    return {column: text for column, text in found.items() if text}


def _range(power_mw: np.ndarray[Any, Any]) -> str:
    if not len(power_mw):
        return ""
    low, high = power_mw.min(), power_mw.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
