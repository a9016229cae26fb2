"""Client of the reading process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import count
from multiprocessing import Pipe
from multiprocessing.spawn import get_executable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cop_core.errors import CancelledError, CopError
from cop_core.pipeline.events import Cancelled, OnEvent, OnProblem, ignore, never
from cop_core.pipeline.process.lending import Lender
from cop_core.pipeline.process.messages import (
    Answer,
    Ask,
    Begun,
    Call,
    Cancel,
    Ended,
    News,
    Problem,
    Run,
    Told,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from cop_core.recipes import Recipe
    from cop_core.stacks.growing import Source
    from cop_core.stacks.model import LazyStack

_T = TypeVar("_T")

_POLL_S: Final = 0.05
"""Longest time in s between two checks for cancellation."""


RUNS: Final = ("cop_core.pipeline.stacks", "cop_core.network.compiled_statistics")
"""Modules that every run imports, which takes seconds."""


class ReadingProcess:
    """A process that runs recipes and calls functions, one at a time.

    It ends with this process, or when `end` is called.

    Parameters
    ----------
    needed : sequence of str
        Modules to import at once, before the first run.
    """

    def __init__(self, needed: Sequence[str] = RUNS) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            self._process = _started(theirs, needed)
        self._numbers, self._lent_numbers = count(), count()

    @property
    def alive(self) -> bool:
        """Whether it can run another recipe."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it, with any run in progress."""
        self._process.kill()
        self._process.wait()

    def run(
        self,
        recipe: Recipe,
        *,
        sources: Sequence[LazyStack | Source | None] = (),
        on_event: OnEvent = ignore,
        cancelled: Cancelled = never,
        on_problem: OnProblem | None = None,
        then: Callable[[Any], object] | None = None,
        **means: Any,
    ) -> Any:
        """Run a recipe, as `cop_core.pipeline.run` does.

        Parameters
        ----------
        sources : sequence of Stack, Source or None
            Used in place of the files named in the recipe, in the calling thread.
        then : callable, optional
            Called with the record in the other process; must be picklable.
        **means
            Further fields of `Means`.

        Raises
        ------
        InputError
            If a stack, table or weights cannot be used.
        CopError
            If the process is lost: killed, out of memory, crashed.
        """
        talk = _Talk(next(self._numbers), Lender(self._lent_numbers), on_event, on_problem)
        lent = tuple(talk.lender.lend(source) for source in sources)
        self._send(Run(talk.number, recipe, lent, means, then))
        return self._result(talk, cancelled)

    def call(self, work: Callable[[], _T]) -> _T:
        """Call a picklable function in the other process; raise what it raises.

        Raises
        ------
        CopError
            If the process is lost: killed, out of memory, crashed.
        """
        talk = _Talk(next(self._numbers), Lender(self._lent_numbers), ignore, None)
        self._send(Call(talk.number, work))
        returned: _T = self._result(talk, never)
        return returned

    def _result(self, talk: _Talk, cancelled: Cancelled) -> Any:
        """Return the result of a run or call, or raise the error that ended it."""
        try:
            ended = self._followed(talk, cancelled)
        except BaseException:
            if self.alive:
                self._send(Cancel(talk.number))
            raise
        if ended.error is not None:
            raise ended.error
        return ended.record

    def _followed(self, talk: _Talk, cancelled: Cancelled) -> Ended:
        """Answer requests and pass on events until a run or call has ended."""
        told = False
        while talk.ended is None:
            if not told and cancelled():
                if not talk.begun:  # still importing: it will never begin
                    raise CancelledError("cancelled")
                self._send(Cancel(talk.number))
                told = True
            answer = talk.take(self._received())
            if answer is not None:
                self._send(answer)
        return talk.ended

    def _send(self, news: Run | Call | Cancel | Answer) -> None:
        try:
            self._connection.send(news)
        except OSError as error:
            raise self._lost() from error

    def _received(self) -> News | None:
        """Return the next message; None if none arrives for a moment."""
        try:
            return self._connection.recv() if self._connection.poll(_POLL_S) else None
        except (EOFError, OSError) as error:
            raise self._lost() from error

    def _lost(self) -> CopError:
        self.end()
        code = self._process.returncode
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return CopError(
            f"the reading process ended unexpectedly ({how})",
            advice="run again to start a new one; if it ends again, free some memory",
        )


class _Talk:
    """The messages of one run."""

    def __init__(
        self, number: int, lender: Lender, on_event: OnEvent, on_problem: OnProblem | None
    ) -> None:
        self.number, self.begun = number, False
        self.ended: Ended | None = None
        self.lender, self._on_event, self._on_problem = lender, on_event, on_problem

    def take(self, news: News | None) -> Answer | None:
        """Handle a message; return the answer if it needs one."""
        if news is not None and news.number != self.number:  # of an earlier, cancelled run
            refused = isinstance(news, Ask)
            return Answer(error=CancelledError("cancelled")) if refused else None
        match news:
            case Begun():
                self.begun = True
            case Told(event=event):
                self._on_event(event)
            case Problem(error=error):
                if self._on_problem is None:
                    raise error
                self._on_problem(error)
            case Ask():
                return self.lender.answer(news)
            case Ended():
                self.ended = news
        return None


def _started(connection: Connection, needed: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the process with its end of a pipe and the modules to import.

    A fresh interpreter rather than one of `multiprocessing`, which would run the user's script
    again; it has the same import path.
    """
    handle = connection.fileno()
    command = [get_executable(), "-P", "-m", "cop_core.pipeline.process", str(handle), *needed]
    found = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    environment = os.environ | {"PYTHONPATH": found}
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        only = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        return subprocess.Popen(
            command,
            env=environment,
            startupinfo=only,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )
    return subprocess.Popen(command, env=environment, pass_fds=[handle], stdin=subprocess.DEVNULL)
