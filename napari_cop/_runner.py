"""One run at a time in a background thread: states, progress, stop, failure."""

from __future__ import annotations

import gc
import os
import sys
import time
from enum import Enum
from threading import Event, get_native_id
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QCoreApplication, QObject, QThread, Signal
from superqt.utils import create_worker

from cop_core.errors import CopError
from napari_cop._live_reading import Asked, Watched
from napari_cop._preload import preload
from napari_cop._reading import Moved, Opened, read, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from superqt.utils import GeneratorWorker

    Work = Generator[Any, None, Any]

_SURE: Final = 2.0
"""Seconds of reading after which the time left is worth saying."""

_TELL_S: Final = 1.0
"""Least time in s between two words on progress."""

_SWITCH_S: Final = 0.0005
"""Time in s after which a thread that waits for Python's lock gets it while a run is on.

PyTorch takes the lock for each of many small operations. At the usual 5 ms reading all but stood
still while the window was drawn: 0.80 of the speed of a plain loop, with this 0.9.
"""
_USUAL_S: Final = sys.getswitchinterval()

_NICE: Final = 10
"""Priority of the reading thread on Linux, as of `nice`: the window's thread goes first."""


class State(Enum):
    """What the runner is doing."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"


class Runner(QObject):
    """Runs requests, one at a time; every end leaves it idle.

    Signals
    -------
    state_changed(State)
    progressed(str, int, int)
        Text, steps done and in all (0 where not known).
    opened(Opened), plane_read(int, PlaneEstimate), watched(Watched)
    told(object)
        Whatever else the work tells of.
    finished(object), failed(Exception)
        What the work returned, an Outcome for stacks; or what it raised.
    """

    state_changed = Signal(object)
    progressed = Signal(str, int, int)
    opened = Signal(object)
    plane_read = Signal(int, object)
    watched = Signal(object)
    told = Signal(object)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = State.IDLE
        self._stop = Event()
        self._worker: GeneratorWorker[Any, Any, Any] | None = None
        self._clock = _Clock()
        self._told = 0.0

    def warm_up(self) -> None:
        """Import in the background what a run will need."""
        create_worker(_preload, _ignore_errors=True).start()

    def start(self, request: Any, work: Callable[[Any, Event], Work] = read) -> None:
        """Start a run; nothing happens while another is on.

        Parameters
        ----------
        request : Request, LiveRequest or StudyRequest
            What to do.
        work : callable
            Does it: `read`, `watch` or `run_plan`.
        """
        if self.state is not State.IDLE:
            return
        self._stop = Event()
        for end in (self.destroyed, QCoreApplication.instance().aboutToQuit):
            end.connect(self._stop.set)  # else a run that waits for planes would go on for ever
        self._clock = _Clock()
        worker = create_worker(_working, work(request, self._stop), _ignore_errors=True)
        worker.yielded.connect(self._moved)
        worker.returned.connect(self._returned)
        worker.errored.connect(self._errored)
        self._worker = worker
        self._enter(State.RUNNING)
        _put_off_collection()
        sys.setswitchinterval(_SWITCH_S)
        worker.start()

    def stop(self) -> None:
        """Ask the run to stop; what it has is kept."""
        if self.state is State.RUNNING:
            self._stop.set()
            self._enter(State.STOPPING)

    def abandon(self) -> None:
        """Stop without telling anyone: the widget is closing."""
        gc.enable()
        gc.unfreeze()
        sys.setswitchinterval(_USUAL_S)
        self._stop.set()
        self.blockSignals(True)

    def _enter(self, state: State) -> None:
        self.state = state
        self.state_changed.emit(state)

    def _moved(self, news: Any) -> None:
        if isinstance(news, str):
            self.progressed.emit(news, 0, 0)
        elif isinstance(news, Asked):
            news.answer()
        elif isinstance(news, Watched):
            self.watched.emit(news)
            if news.estimate is not None:
                self.plane_read.emit(news.protocol, news.estimate)
        elif isinstance(news, Opened):
            _resume_collection()
            self._clock.opened(news)
            self.opened.emit(news)
        elif not isinstance(news, Moved):
            self.told.emit(news)
        else:
            if news.estimate is not None:
                self.plane_read.emit(news.protocol, news.estimate)
            self._tell(*self._clock.moved(news))

    def _tell(self, text: str, done: int, total: int) -> None:
        """Tell of progress a few times a second: every change has the whole window painted."""
        now = time.monotonic()
        if done == total or now - self._told >= _TELL_S:
            self._told = now
            self.progressed.emit(text, done, total)

    def _returned(self, outcome: Any) -> None:
        self._end()
        self.finished.emit(outcome)

    def _errored(self, error: Exception) -> None:
        self._end()
        self.failed.emit(error)

    def _end(self) -> None:
        _resume_collection()
        sys.setswitchinterval(_USUAL_S)
        self._worker = None
        self._enter(State.IDLE)


def _working(work: Work) -> Work:
    """Do the work; superqt's workers do not pass on a RuntimeError."""
    give_way()
    try:
        return (yield from work)
    except RuntimeError as error:
        raise readable(error) from error


def _preload() -> None:
    give_way()
    _put_off_collection()
    try:
        preload()
    finally:
        _resume_collection()


def _put_off_collection() -> None:
    """Let the garbage collector leave alone what is there, and rest while PyTorch is imported.

    A full collection of what napari and PyTorch hold stops all threads for up to 0.4 s.
    """
    gc.freeze()
    gc.disable()


def _resume_collection() -> None:
    """Let it look through what is new from here on; `Runner.abandon` gives it back the rest."""
    gc.freeze()
    gc.enable()


def give_way() -> None:
    """Let the window's thread go first; Qt's pool drops this one when it has been idle."""
    QThread.currentThread().setPriority(QThread.Priority.LowPriority)  # does nothing on Linux
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICE)


def tell(error: Exception) -> None:
    """Show an error as a napari notification: ours in words, others with their trace."""
    from napari.utils.notifications import notification_manager, show_error

    if isinstance(error, CopError):
        show_error(str(error))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)


class _Clock:
    """Says how far a run is, and how long it will take."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._planes: list[int] = []
        self._spent = 0.0
        self._last = time.monotonic()
        self._read = 0

    def opened(self, news: Opened) -> None:
        self._names = news.names
        self._planes = [len(depths) for depths in news.depth_um]

    def moved(self, news: Moved) -> tuple[str, int, int]:
        """Return text, steps done and steps in all."""
        now = time.monotonic()
        self._spent += now - self._last
        self._last = now
        before = 2 * sum(self._planes[: news.protocol])
        done, total = before + news.done, 2 * sum(self._planes)
        planes = self._planes[news.protocol]
        name = self._names[news.protocol]
        if news.done <= planes:
            self._spent = 0.0 if not self._read else self._spent
            return f"{name}: looking through {planes} planes", done, total
        self._read += news.estimate is not None
        text = f"{name}: plane {news.done - planes} of {planes}"
        return text + self._left(sum(self._planes) - self._read), done, total

    def _left(self, planes: int) -> str:
        if self._spent < _SURE or not planes or not self._read:
            return ""
        seconds = round(self._spent / self._read * planes)
        minutes, rest = divmod(seconds, 60)
        return f" · {minutes} min {rest:02d} s left" if minutes else f" · {rest} s left"
