"""Stacks in the memory of one process, lent to the reading process.

A stack is sent as it is, except for the function that reads its pixels; of a growing source, its
state and new planes are sent. Everything else is requested when needed, and answered in the thread
that waits for the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import finalize

from cop_core.errors import CancelledError
from cop_core.pipeline.process.messages import Answer, Ask, Lent, LentSource, LentStack, SourceNews
from cop_core.records import State
from cop_core.stacks.model import LazyStack

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.stacks import Plane
    from cop_core.stacks.dataset import Position
    from cop_core.stacks.growing import Source

Call: TypeAlias = Callable[..., Any]
"""Requests a call of a method of a lent object: (number, method, arguments ...)."""


class Lender:
    """Lends stacks and sources by number, and answers requests for them."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._lent: dict[int, Any] = {}
        self._numbers = numbers

    def lend(self, thing: LazyStack | Source | None) -> Lent | None:
        """Return the object sent in place of a stack or source."""
        if thing is None:
            return None
        number = next(self._numbers)
        if isinstance(thing, LazyStack):
            self._lent[number] = thing.read
            return LentStack(number, replace(thing, read=_not_here))
        self._lent[number] = thing
        return LentSource(number, thing.name, thing.source, thing.planned)

    def answer(self, ask: Ask) -> Answer:
        """Return the answer to a request, or the error instead."""
        for number in ask.done_with:
            self._lent.pop(number, None)
        try:
            return Answer(self._called(self._lent[ask.lent], ask.method, *ask.arguments))
        except Exception as error:  # raised again in the requesting process
            return Answer(error=error)

    def _called(self, lent: Any, method: str, *arguments: Any) -> Any:
        if method == "read":
            return lent(*arguments)
        return self.lend(lent.stack()) if method == "stack" else _news(lent, *arguments)


def _news(source: Source, limit: int | None) -> SourceNews:
    planes = source.news(limit)
    times = [source.completed_at(plane.index) for plane in planes]
    return SourceNews(planes, times, source.state, source.waiting, source.planned)


def _not_here(_position: Position) -> npt.NDArray[Any]:
    raise CancelledError("its pixels are in another process")


def borrow(lent: Lent | None, call: Call, done_with: Callable[[int], None]) -> Any:
    """Return the lent object; `done_with` is called when its pixels are no longer used."""
    if lent is None:
        return None
    if isinstance(lent, LentStack):
        return replace(lent.stack, read=_Pixels(lent.number, call, done_with))
    return _BorrowedSource(lent, call, done_with)


class _Pixels:
    """Reads planes of a lent stack."""

    def __init__(self, number: int, call: Call, done_with: Callable[[int], None]) -> None:
        self._number, self._call = number, call
        finalize(self, done_with, number)

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        pixels: npt.NDArray[Any] = self._call(self._number, "read", position)
        return pixels


class _BorrowedSource:
    """A lent growing source; see `Source`."""

    def __init__(self, lent: LentSource, call: Call, done_with: Callable[[int], None]) -> None:
        self.name, self.source, self.planned = lent.name, lent.source, lent.planned
        self.state, self.waiting = State.WAITING, 0
        self._number, self._call, self._done_with = lent.number, call, done_with
        self._times: dict[int, float] = {}

    def completed_at(self, index: int) -> float:
        return self._times[index]

    def news(self, limit: int | None = None) -> Sequence[Plane]:
        """Return new planes; see `Source`."""
        news: SourceNews = self._call(self._number, "news", limit)
        self.state, self.waiting, self.planned = news.state, news.waiting, news.planned
        indices = (plane.index for plane in news.planes)
        self._times.update(zip(indices, news.completed_at, strict=True))
        return news.planes

    def stack(self) -> LazyStack:
        """Return the stack as it is now; see `Source`."""
        lent = self._call(self._number, "stack")
        stack: LazyStack = borrow(lent, self._call, self._done_with)
        return stack

    def close(self) -> None:
        """Do nothing: the lender closes it."""
