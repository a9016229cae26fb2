"""Output of commands: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any, Final, TextIO, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_MOST_BARS: Final = 4
"""Number of bars above which full ones are removed."""


class Stream:
    """Standard output or error, which may be closed, full, or limited in its characters.

    Characters that it cannot show are replaced. If it can no longer be written to, `lost` gives the
    reason and further output is dropped, without loss of work.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.lost = "" if stream is not None else "it is closed"
        # the descriptor of a closed one would be reused by the next file opened
        self._stream = stream or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        return not self.lost and self._stream.isatty()

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        if self.lost:
            return
        try:
            act()
        except (OSError, ValueError) as error:
            self.lost = getattr(error, "strerror", None) or str(error)
            with suppress(OSError, ValueError):  # otherwise Python tries again at exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextmanager
def safe_streams() -> Iterator[Stream]:
    """Put safe streams in place of standard output and error; yield the first."""
    before = sys.stdout, sys.stderr
    out, err = Stream(sys.stdout), Stream(sys.stderr)
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before


def tell(*shown: Any) -> None:
    """Print results."""
    console = Console(highlight=False)
    for one in shown:
        console.print(one, soft_wrap=isinstance(one, str), markup=False)


def say(text: str) -> None:
    """Print a line on standard error or, if that is lost, on standard output."""
    print(text, file=sys.stderr, flush=True)
    if getattr(sys.stderr, "lost", ""):
        print(text, flush=True)


def own_surroundings() -> None:
    """Remove settings from the environment that could stop libraries; figures have their own style.

    A bad backend, style or time would otherwise end a run after the reading.
    """
    os.environ["MPLBACKEND"] = "agg"
    os.environ.pop("MATPLOTLIBRC", None)
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not (epoch.isascii() and epoch.isdigit() and len(epoch) < 11):
        del os.environ["SOURCE_DATE_EPOCH"]
        say("cop: SOURCE_DATE_EPOCH is not a time; it is ignored")


@contextmanager
def bars() -> Iterator[Callable[[object], None]]:
    """Yield a callback that shows events as progress bars, one for each stack or kind of work."""
    from cop_core.pipeline.events import Stepped, Working

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def show(event: object) -> None:
            if isinstance(event, Stepped):
                name, title, done, total = event.name, event.name, event.step.done, event.step.total
            elif isinstance(event, Working):
                name, done, total = event.what, event.done, event.total
                title = f"{event.what}, {event.name}" if event.name else event.what
            else:
                return
            if total:
                task = tasks.get(name)
                if task is None:
                    task = tasks[name] = progress.add_task(title, total=total)
                progress.update(task, completed=done, total=total, description=title)
                if done >= total and len(tasks) > _MOST_BARS:
                    progress.remove_task(tasks.pop(name))

        yield show


@contextmanager
def interruptible() -> Iterator[Event]:
    """Yield an event set by the first Ctrl-C: the run can then end and keep its results."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT) or signal.SIG_DFL

    def set_once(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, set_once)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
