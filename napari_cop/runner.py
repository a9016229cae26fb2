"""Runner of one recipe at a time, in a process beside napari's: states, progress, stop, failure."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QCoreApplication, QObject, Signal

from cop_core.errors import CancelledError, CopError
from cop_core.pipeline import Opened, SoFar, Stepped, Working
from cop_core.recipes.terms import as_label
from napari_cop.processes import PROCESSES
from napari_cop.progress import Clock
from napari_cop.words import said
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cop_core.errors import Terms
    from cop_core.recipes import Recipe

    Tell = Callable[[Any], None]
    Cancelled = Callable[[], bool]
    Sources = Callable[[Tell, Cancelled], Sequence[Any]]

_TELL_S: Final = 0.4
"""Minimum time in s between two reports of progress."""

_IDLE_S: Final = 0.5
"""Maximum time in s without an update while nothing arrives."""


class State(Enum):
    """State of the runner."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes
    ----------
    record : AnalysedProfile, Comparison, StudyRecord, CohortRecord, PhotonTransfer or None
        The result; planes that were not read are left out for that reason. None if it was stopped
        before there was any.
    stopped : bool
        True if it ended early.
    problem : Exception or None
        The error that ended it, unless the user did.
    """

    record: Any
    stopped: bool
    problem: Exception | None = None

    @property
    def empty(self) -> bool:
        """Whether no plane was read."""
        shown = self.record.analysed if self.record is not None else ()
        return not any(plane.n_crops for each in shown for plane in each.profile.planes)


class _News(QObject):
    """Carries the events of a run into the thread of the window."""

    came = Signal(object, float)


class Runner(QObject):
    """Runs recipes, one at a time; every end leaves it idle.

    Signals
    -------
    state_changed(State)
    progressed(str, int, int)
        Text, steps done and the total (0 if not known).
    opened(Opened), stepped(Stepped, float)
        Events of the pipeline; a step with the time at which it was reported.
    plane_read(int, PlaneEstimate)
        Number of the stack and a plane of which crops were read.
    said(SoFar)
        The interim verdict.
    told(object)
        Any other event of the pipeline.
    finished(Outcome), failed(Exception)
        The end.
    """

    state_changed = Signal(object)
    progressed = Signal(str, int, int)
    opened = Signal(object)
    stepped = Signal(object, float)
    plane_read = Signal(int, object)
    said = Signal(object)
    told = Signal(object)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None, clock: type[Clock] | None = None) -> None:
        super().__init__(parent)
        self.state = State.IDLE
        self._stop = Event()
        self._news: _News | None = None
        self._clocks = clock or Clock
        self._clock = self._clocks()
        self._told = 0.0
        PROCESSES.serve(self)

    def warm_up(self) -> None:
        """Import, in the background, the modules that a run will need."""
        PROCESSES.warm_up()

    def start(
        self,
        recipe: Recipe,
        sources: Sources | None = None,
        *,
        then: Callable[[Any], object] | None = None,
        **means: Any,
    ) -> None:
        """Start a run; does nothing during another.

        Parameters
        ----------
        sources : callable, optional
            Called in a thread of its own; returns stacks that are not in a file, as in
            `cop_core.pipeline.Means`.
        then : callable, optional
            Called in the reading process with the record; must be picklable.
        """
        if self.state is not State.IDLE:
            return
        stop = self._stop = Event()
        for end in (self.destroyed, QCoreApplication.instance().aboutToQuit):
            end.connect(stop.set)  # otherwise a run that waits for planes would never end
        self._clock = self._clocks()
        self._news = _News()
        self._news.came.connect(self._moved)
        tell = _telling(self._news)
        work = partial(_run, recipe, sources, then, tell, stop.is_set, means)
        worker = Worker(work)
        worker.returned.connect(self._returned)
        worker.errored.connect(self._errored)
        self._enter(State.RUNNING)
        worker.start()

    def stop(self) -> None:
        """Request the run to stop; its results so far are kept."""
        if self.state is State.RUNNING:
            self._stop.set()
            self._enter(State.STOPPING)

    def abandon(self) -> None:
        """Stop without signals: the widget is closing."""
        self._stop.set()
        self.blockSignals(True)

    def _enter(self, state: State) -> None:
        self.state = state
        self.state_changed.emit(state)

    def _moved(self, news: Any, at: float) -> None:
        if isinstance(news, str):
            self.progressed.emit(news, 0, 0)
            return
        if isinstance(news, Opened):
            self._clock.opened(news)
            self.opened.emit(news)
        elif isinstance(news, Working):
            self._tell(*self._clock.working(news))
        elif isinstance(news, Stepped):
            self.stepped.emit(news, at)
            if news.step.estimate is not None:
                self.plane_read.emit(news.stack, news.step.estimate)
            if news.step.total:
                self._tell(*self._clock.stepped(news))
        elif isinstance(news, SoFar):
            self.said.emit(news)
        else:
            self.told.emit(news)

    def _tell(self, text: str, done: int, total: int) -> None:
        """Report progress a few times a second: every change repaints the whole window."""
        now = time.monotonic()
        if done == total or now - self._told >= _TELL_S:
            self._told = now
            self.progressed.emit(text, done, total)

    def _returned(self, outcome: Outcome) -> None:
        self._end()
        self.finished.emit(outcome)

    def _errored(self, error: Exception) -> None:
        self._end()
        self.failed.emit(error)

    def _end(self) -> None:
        self._news = None
        self._enter(State.IDLE)


def _run(
    recipe: Recipe,
    sources: Sources | None,
    then: Callable[[Any], object] | None,
    tell: Tell,
    cancelled: Cancelled,
    means: dict[str, Any],
) -> Outcome:
    """Run a recipe; an error that ends it gets advice."""
    problems: list[Exception] = []
    try:
        given = sources(tell, cancelled) if sources else ()
        tell("Starting …")
        with PROCESSES.lent() as process:
            record = process.run(
                recipe,
                sources=given,
                on_event=tell,
                cancelled=cancelled,
                on_problem=problems.append,
                then=then,
                **means,
            )
    except CancelledError:
        return Outcome(None, stopped=True)
    except RuntimeError as error:
        raise readable(error) from error
    problem = readable(problems[0]) if problems else None
    return Outcome(record, cancelled() or problem is not None, problem)


def _telling(news: _News) -> Tell:
    """Return a callback that passes on events, fewer of them while a growing stack is idle."""
    told_at, state = 0.0, None

    def tell(event: Any) -> None:
        nonlocal told_at, state
        step, now = getattr(event, "step", None), time.monotonic()
        if step is not None:
            if step.idle and step.state is state and now - told_at < _IDLE_S:
                return
            told_at, state = now, step.state
        news.came.emit(event, time.time())

    return tell


def readable(error: Exception) -> Exception:
    """Return an error of PyTorch, a RuntimeError, with advice; others unchanged."""
    if not isinstance(error, RuntimeError):
        return error
    return CopError(f"reading failed ({error})", advice="if a GPU is used, choose the device cpu")


def tell(error: Exception, terms: Terms = as_label) -> None:
    """Show an error as a napari notification: a `CopError` in words, others with a traceback."""
    from napari.utils.notifications import notification_manager, show_error

    if isinstance(error, CopError):
        show_error(said(error, terms))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)
