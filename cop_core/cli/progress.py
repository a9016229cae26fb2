"""Progress bars on standard error, so that output can be piped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Move(Protocol):
    """Moves the bar of a name to done of total, under a title that may change."""

    def __call__(self, name: str, done: int, total: int, title: str = "") -> None: ...


@contextmanager
def progress_bar() -> Iterator[Move]:
    """Yield a function (name, done, total, title) that moves one bar a name."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def move(name: str, done: int, total: int, title: str = "") -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total, description=title or name)

        yield move
