"""The processes that read: one is kept warm while any widget needs it."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from cop_core.pipeline.process import ReadingProcess
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtpy.QtCore import QObject


class Processes:
    """Lends each run a process of its own, and ends them with the last widget that uses them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[ReadingProcess] = []
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
        for process in idle:
            process.end()


PROCESSES = Processes()
"""Those of this napari."""
