"""One run at a time, in a process beside napari's: states, progress, stop, failure."""

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

_TELL_S: Final = 1.0
"""Least time in s between two words on progress."""

_IDLE_S: Final = 0.5
"""Most time in s without news while nothing comes."""


class State(Enum):
    """What the runner is doing."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes
    ----------
    record : AnalysedProfile, Comparison, StudyRecord, CohortRecord, PhotonTransfer or None
        What was found; planes that were not read are excluded with that reason. None where it
        was stopped before there was anything.
    stopped : bool
        True where it ended before all was done.
    problem : Exception or None
        What ended it, where it was not the user.
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
    """Carries what a run tells of into the window's thread."""

    came = Signal(object, float)


class Runner(QObject):
    """Runs recipes, one at a time; every end leaves it idle.

    Signals
    -------
    state_changed(State)
    progressed(str, int, int)
        Text, steps done and in all (0 where not known).
    opened(Opened), stepped(Stepped, float)
        Events of the pipeline; a step with the time at which it was told.
    plane_read(int, PlaneEstimate)
        Number of the stack and a plane of which crops were read.
    said(SoFar)
        What the planes so far come to.
    told(object)
        Whatever else the pipeline tells of.
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
        """Have imported, in the background, what a run will need."""
        PROCESSES.warm_up()

    def start(
        self,
        recipe: Recipe,
        sources: Sources | None = None,
        *,
        then: Callable[[Any], object] | None = None,
        **means: Any,
    ) -> None:
        """Start a run; nothing happens while another is on.

        Parameters
        ----------
        sources : callable, optional
            In a thread of its own, returns what is in no file, as in `cop_core.pipeline.Means`.
        then : callable, optional
            In the process that reads, is given the record; has to be picklable.
        """
        if self.state is not State.IDLE:
            return
        stop = self._stop = Event()
        for end in (self.destroyed, QCoreApplication.instance().aboutToQuit):
            end.connect(stop.set)  # else a run that waits for planes would go on for ever
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
        """Ask the run to stop; what it has is kept."""
        if self.state is State.RUNNING:
            self._stop.set()
            self._enter(State.STOPPING)

    def abandon(self) -> None:
        """Stop without telling anyone: the widget is closing."""
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
        """Tell of progress a few times a second: every change has the whole window painted."""
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
    """Have a recipe run; what ends it comes with advice."""
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
    """Return what hands on events, fewer of them while a growing stack gives nothing to do."""
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
    """Return PyTorch's errors, all of them RuntimeError, with advice; others as they are."""
    if not isinstance(error, RuntimeError):
        return error
    return CopError(f"reading failed ({error})", advice="if a GPU is used, choose the device cpu")


def tell(error: Exception, terms: Terms = as_label) -> None:
    """Show an error as a napari notification: ours in words, others with their trace."""
    from napari.utils.notifications import notification_manager, show_error

    if isinstance(error, CopError):
        show_error(said(error, terms))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)
