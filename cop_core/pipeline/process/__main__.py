"""The process that reads: ``python -m cop_core.pipeline.process HANDLE [MODULE...]``."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Sequence
from importlib import import_module
from multiprocessing import connection
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from cop_core.errors import CancelledError, CopError
from cop_core.pipeline.process.lending import borrow
from cop_core.pipeline.process.messages import (
    Answer,
    Ask,
    Begun,
    Call,
    Cancel,
    Ended,
    Problem,
    Run,
    Told,
)
from cop_core.pipeline.run import run as run_recipe


class _Server:
    """Runs the requests of a connection until it is closed."""

    def __init__(self, talk: Any) -> None:
        self._connection = talk
        self._asked: SimpleQueue[Run | Call] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._cancelled: set[int] = set()
        self._sending, self._asking = Lock(), Lock()
        self._done_with: deque[int] = deque()

    def serve(self, needed: Sequence[str]) -> None:
        """Import modules, then handle runs and calls one after the other."""
        Thread(target=self._listen, daemon=True).start()
        for name in needed:
            import_module(name)
        while True:
            self._send(self._end_of(self._asked.get()))

    def _listen(self) -> None:
        try:
            while True:
                news = self._connection.recv()
                if isinstance(news, Cancel):
                    self._cancelled.add(news.number)
                else:
                    (self._answers if isinstance(news, Answer) else self._asked).put(news)
        except (EOFError, OSError):  # the other process is gone: stop whatever is running
            os._exit(0)
        except Exception:
            traceback.print_exc()
            os._exit(1)

    def _end_of(self, asked: Run | Call) -> Ended:
        """Run a recipe or call a function; return its result or the error that ended it."""
        number = asked.number
        if number in self._cancelled:
            return Ended(number, error=CancelledError("cancelled"))
        self._send(Begun(number))
        try:
            return Ended(number, self._record(asked) if isinstance(asked, Run) else asked.work())
        except Exception as error:
            return Ended(number, error=_portable(error))

    def _record(self, run: Run) -> Any:
        number = run.number

        def ask(lent: int, method: str, *arguments: Any) -> Any:
            return self._ask(number, lent, method, arguments)

        record = run_recipe(
            run.recipe,
            sources=[borrow(lent, ask, self._done_with.append) for lent in run.sources],
            on_event=lambda event: self._send(Told(number, event)),
            cancelled=lambda: number in self._cancelled,
            on_problem=lambda error: self._send(Problem(number, _portable(error))),
            **run.means,
        )
        if run.then is not None:
            run.then(record)
        return record

    def _ask(self, number: int, lent: int, method: str, arguments: tuple[Any, ...]) -> Any:
        with self._asking:
            unused = tuple(self._done_with.popleft() for _ in range(len(self._done_with)))
            self._send(Ask(number, lent, method, arguments, unused))
            answer = self._answers.get()
        if answer.error is not None:
            raise answer.error
        return answer.value

    def _send(self, news: Any) -> None:
        with self._sending:
            self._connection.send(news)


def _portable(error: Exception) -> Exception:
    """Return an error that can be pickled, with its traceback unless it is written for users."""
    if isinstance(error, CopError):
        return error
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return CopError(f"{type(error).__name__}: {error}")
    return error


def main() -> None:
    """Serve the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    handle = int(sys.argv[1])
    kind = "PipeConnection" if sys.platform == "win32" else "Connection"
    _Server(getattr(connection, kind)(handle)).serve(sys.argv[2:])


if __name__ == "__main__":
    main()
