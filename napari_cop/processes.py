"""Processes beside napari's: one for reading is kept warm, one runs smaller tasks.

Python collects garbage in any thread. If a thread other than the window's collects a widget, the
two can deadlock. Other threads therefore do little more than wait for these processes.
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
        """Stay available until an object is destroyed."""
        token = object()
        self._users.add(token)
        user.destroyed.connect(lambda: self._leave(token))

    def warm_up(self) -> None:
        """Start a process in the background, which imports the modules that a run needs."""
        Worker(self._warm_up).start()

    @contextmanager
    def lent(self) -> Iterator[ReadingProcess]:
        """Lend a process that is not in use."""
        process = self._take()
        try:
            yield process
        finally:
            self._put(process)

    def call(self, work: Callable[[], _T]) -> _T:
        """Call a picklable function in the process for smaller tasks, after earlier calls.

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
        """End the processes that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._calling.acquire(blocking=False):  # otherwise it is ended after the call
            idle += [self._called] if self._called else []
            self._called = None
            self._calling.release()
        for process in idle:
            process.end()


PROCESSES = Processes()
"""The processes of this napari."""
