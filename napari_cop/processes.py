"""Processes beside napari's: one that reads is kept warm, one does the smaller things.

Python collects garbage in whichever thread it has to. Where that is not the window's and a widget
is among the garbage, the two threads can wait for each other for ever. So the threads beside the
window's do little more than wait for these processes.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from cop_core.pipeline.process import ReadingProcess
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtpy.QtCore import QObject

_T = TypeVar("_T")


class Processes:
    """Lends each run a process of its own, and ends them with the last widget that uses them."""

    def __init__(self) -> None:
        self._lock, self._calling = Lock(), Lock()
        self._idle: list[ReadingProcess] = []
        self._called: ReadingProcess | None = None
        self._users: set[object] = set()

    def serve(self, user: QObject) -> None:
        """Be there until an object is destroyed."""
        token = object()
        self._users.add(token)
        user.destroyed.connect(lambda: self._leave(token))

    def warm_up(self) -> None:
        """Start one in the background, which imports what a run needs."""
        Worker(self._warm_up).start()

    @contextmanager
    def lent(self) -> Iterator[ReadingProcess]:
        """Lend one that nobody uses."""
        process = self._take()
        try:
            yield process
        finally:
            self._put(process)

    def call(self, work: Callable[[], _T]) -> _T:
        """Call a picklable function in a process that reads nothing, after other calls.

        Its module should import neither Qt nor PyTorch.

        Raises
        ------
        CopError
            If the process is lost.
        """
        with self._calling:
            process = self._called
            if process is None or not process.alive:
                process = self._called = ReadingProcess(needed=())
            try:
                return process.call(work)
            finally:
                if not self._users:
                    process.end()

    def _warm_up(self) -> None:
        self._put(self._take())

    def _take(self) -> ReadingProcess:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
            return ReadingProcess()

    def _put(self, process: ReadingProcess) -> None:
        with self._lock:
            if process.alive and self._users and not self._idle:
                self._idle.append(process)
                return
        process.end()

    def _leave(self, token: object) -> None:
        self._users.discard(token)
        if not self._users:
            self.end()

    def end(self) -> None:
        """End those that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._calling.acquire(blocking=False):  # else it is ended after the call
            idle += [self._called] if self._called else []
            self._called = None
            self._calling.release()
        for process in idle:
            process.end()


PROCESSES = Processes()
"""Those of this napari."""
