"""The work of watching, without Qt: planes are read as they come, then told as a result."""

from __future__ import annotations

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cop_core.errors import CancelledError
from cop_core.statistics import DepthProfile, compare
from napari_cop._preload import preload_torch
from napari_cop._reading import Opened, Outcome, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from threading import Event

    from cop_core.reading.live import LiveReading
    from cop_core.reading.live_step import LiveStep
    from cop_core.stacks.growing import Source, State
    from cop_core.statistics import PlaneEstimate
    from napari_cop._live_feeds import Feed

_T = TypeVar("_T")
_BATCH: Final = 4
"""Crops read at once, for which a plane that comes has to wait: larger ones are hardly faster."""
_REST_S: Final = 0.02
"""Time in s between two looks while there is nothing to do."""
_TELL_S: Final = 0.5
"""Most time in s without news while nothing comes."""


@dataclass(frozen=True)
class LiveRequest:
    """What to watch, one stack after the other; fields as in `Request`."""

    feeds: tuple[Feed, ...]
    settings: dict[str, Any]
    weights: str = "default"
    device: str = "auto"
    rule: Any = "default"


@dataclass(frozen=True)
class Watched:
    """Where watching stands.

    Attributes
    ----------
    protocol : int
        Which of the stacks.
    state : State
        Of its acquisition.
    estimate : PlaneEstimate or None
        A plane of which crops were read.
    completed_at : float
        When that plane was complete, in s as `time.time` counts; NaN without one.
    planes, planned : int, int or None
        Planes begun, and planes in all where known.
    planes_waiting, crops_put_off : int
        Planes that are complete and not begun, and crops of others still to be read.
    """

    protocol: int
    state: State
    estimate: PlaneEstimate | None
    completed_at: float
    planes: int
    planned: int | None
    planes_waiting: int
    crops_put_off: int


class Asked:
    """A call that the window's thread has to make, and its answer."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._answer: Future[Any] = Future()

    def answer(self) -> None:
        """Make the call, in the window's thread, if it is still wanted."""
        if not self._answer.set_running_or_notify_cancel():
            return
        try:
            self._answer.set_result(self._call())
        except Exception as error:  # raised again where it was asked
            self._answer.set_exception(error)

    def wait(self, stop: Event) -> Any:
        """Return what the call gave, or raise what it raised."""
        while not stop.is_set():
            try:
                return self._answer.result(_REST_S)
            except NotYetError:
                if self._answer.done():
                    raise
        self._answer.cancel()
        raise CancelledError("stopped")


def in_window(call: Callable[[], _T], stop: Event) -> Generator[Asked, None, _T]:
    """Have the window's thread make a call; what `Feed.open` needs for objects of Qt."""
    asked = Asked(call)
    yield asked
    found: _T = asked.wait(stop)
    return found


def watch(
    request: LiveRequest, stop: Event
) -> Generator[str | Opened | Watched | Asked, None, Outcome]:
    """Read planes as they come until the acquisitions have ended, or soon after `stop` is set.

    Yields
    ------
    str, Opened, Watched or Asked
        What is being done, then the stacks to come, then every step.

    Raises
    ------
    CopError
        Where a stack cannot be watched at all.
    """
    yield "Connecting …"
    names = tuple(feed.name for feed in request.feeds)
    try:
        # before the network is loaded, which takes a second or two: frames may come at once
        source = yield from request.feeds[0].open(stop)
    except CancelledError:
        return Outcome(DepthProfile(names[0], (), ()), stopped=True)
    yield "Loading the network …"
    preload_torch()
    from cop_core.reading import Settings, load_estimator
    from cop_core.reading.live import LiveReading

    settings = Settings(**request.settings)
    estimator = load_estimator(request.weights, device=request.device)
    names = tuple(feed.name for feed in request.feeds)
    yield Opened(names, estimator.components, tuple(feed.depth_um for feed in request.feeds))
    readings: list[LiveReading] = []
    problem: Exception | None = None
    try:
        for number, feed in enumerate(request.feeds):
            if number and not stop.is_set():
                source = yield from feed.open(stop)
            if stop.is_set():
                break
            feed.begin()
            readings.append(
                LiveReading(source, estimator, settings, name=feed.name, batch_size=_BATCH)
            )
            yield from _follow(number, source, readings[-1], stop)
    except Exception as error:  # told at the end, with what was read before it
        problem = readable(error)
    stopped = stop.is_set() or problem is not None
    read = [reading.profile for reading in readings]
    if len(read) == 2 and len(read[1]):
        yield "Comparing …"
        return Outcome(compare(*read, rule=request.rule, seed=settings.seed), stopped, problem)
    profile = read[0] if read else DepthProfile(names[0], estimator.components, ())
    if len(profile):
        _ = profile.fits  # here rather than where they are first drawn
    return Outcome(profile, stopped, problem)


def _follow(
    number: int, source: Source, reading: LiveReading, stop: Event
) -> Generator[Watched, None, None]:
    told, state = 0.0, None
    seen: set[int] = set()
    for step in reading:
        now = time.monotonic()
        if step.estimate is not None or step.state is not state or now - told >= _TELL_S:
            told, state = now, step.state
            seen |= set() if step.estimate is None else {step.estimate.index}
            yield _news(number, step, source, len(seen))
        if step.ended or stop.is_set():
            return
        if step.idle:
            stop.wait(_REST_S)


def _news(number: int, step: LiveStep, source: Source, planes: int) -> Watched:
    return Watched(
        number,
        step.state,
        step.estimate,
        time.time() - step.latency_s,
        planes,
        source.planned,
        step.planes_waiting,
        step.crops_put_off,
    )
