"""A finished stack as a source that has ended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cop_core.records import State

if TYPE_CHECKING:
    from cop_core.stacks.model import Plane, Stack


class FinishedSource:
    """Planes of a stack that is all there; see `Source`."""

    def __init__(self, stack: Stack) -> None:
        self.name, self.source = stack.name, stack.source
        self.planned = len(stack)
        self.state = State.COMPLETE
        self.waiting = 0
        self._stack, self._next = stack, 0

    def completed_at(self, index: int) -> float:
        """Return NaN: it was there before anybody looked."""
        return math.nan

    def news(self, limit: int | None = None) -> list[Plane]:
        """Return the next planes, in order."""
        stop = len(self._stack) if limit is None else min(len(self._stack), self._next + limit)
        planes = [self._stack.plane(index) for index in range(self._next, stop)]
        self._next = stop
        return planes

    def stack(self) -> Stack:
        """Return the stack."""
        return self._stack

    def close(self) -> None:
        """Do nothing: it holds nothing open."""
