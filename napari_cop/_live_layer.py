"""A napari layer that grows, as a source of planes."""

from __future__ import annotations

import time
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cop_core.errors import InputError
from cop_core.stacks import open_stack
from cop_core.stacks.growing import State
from cop_core.stacks.validity import UNIFORM

if TYPE_CHECKING:
    from cop_core.stacks import Plane, Stack

_LOOK_S: Final = 0.05
"""Least time in s between two looks at the pixels, and the most that one look goes on."""
_SETTLE_S: Final = 0.1
"""Time in s for which a plane must read the same: it may be half filled in."""
_HOLE_S: Final = 2.0
"""Time in s after which a blank plane, with others beyond it, is taken for empty."""


class _Look(NamedTuple):
    """What a plane looked like, since when, and the same on the clock of `time.time`."""

    mark: int
    since: float
    clock_s: float


class LayerSource:
    """Planes of a layer whose pixels are replaced by longer ones, or filled in; see `Source`.

    A plane of a single value is taken for one that is still to be filled in until planes beyond
    it are. Only `put` and `end` may be called from another thread than the one that reads.

    Parameters
    ----------
    name : str
        What the stack is called.
    pixels : array
        Pixels (planes, y, x) as they are now: numpy, dask or zarr.
    options : dict
        For `open_stack`.
    stopped_after_s : float
        Time in s without a new plane after which the layer is said to have stopped growing.
    """

    def __init__(
        self, name: str, pixels: Any, options: dict[str, Any], stopped_after_s: float
    ) -> None:
        self.name, self.source = name, f"layer {name!r}"
        self.state = State.WAITING
        self._pixels, self._options, self._patience_s = pixels, options, stopped_after_s
        self._looks: dict[int, _Look] = {}
        self._blank: dict[int, float] = {}
        self._times: dict[int, float] = {}
        self._queue: deque[int] = deque()
        self._at = -1
        self._shape: tuple[int, ...] | None = None
        self._allotted: int | None = None
        self._next = self._last = 0.0
        self._over = False

    def put(self, pixels: Any) -> None:
        """Take the pixels that the layer has now."""
        self._pixels = pixels

    def end(self) -> None:
        """Say that nothing comes any more."""
        self._over = True

    @property
    def planned(self) -> int | None:
        """Planes in all, where the layer had its full length while some were still blank."""
        return self._allotted

    @property
    def waiting(self) -> int:
        """Planes that are complete and still to be handed out, as of the last `news`."""
        return len(self._queue)

    def completed_at(self, index: int) -> float:
        """Return when a plane was first seen as it was handed out, in s as `time.time` counts."""
        return self._times[index]

    def news(self, limit: int | None = None) -> list[Plane]:
        """Return planes that became complete and were not handed out before, in order.

        Raises
        ------
        InputError
            Where the layer shows another stack than before.
        """
        over = self._over  # before the look: nothing comes after it
        stack = self.stack()
        self._require_same(stack)
        if over or time.monotonic() >= self._next:
            self._look(stack, over=over)
            self._next = time.monotonic() + _LOOK_S
        count = len(self._queue) if limit is None else min(limit, len(self._queue))
        planes = [stack.plane(self._queue.popleft()) for _ in range(count)]
        self.state = self._judge(over)
        return planes

    def stack(self) -> Stack:
        """Return the layer's stack as it is now."""
        return open_stack(self._pixels, name=self.name, **self._options)

    def close(self) -> None:
        """Let go of the pixels."""
        self._pixels = None

    def _require_same(self, stack: Stack) -> None:
        """Refuse pixels that cannot be those of before with more planes."""
        before, now = self._shape, stack.shape
        if before is not None and (now[1:] != before[1:] or now[0] <= max(self._times, default=-1)):
            raise InputError(
                f"it went from {before} to {now} pixels: that is another stack",
                where=self.source,
                advice="Watch it anew",
            )
        self._shape = now

    def _look(self, stack: Stack, *, over: bool) -> None:
        """Look at planes that were not taken, going on where the last look ended."""
        now = time.monotonic()
        left = [i for i in range(len(stack)) if i not in self._times]
        later = [i for i in left if i > self._at]
        for index in (*later, *left[: len(left) - len(later)]):
            self._at = index
            self._see(stack.plane(index), now, over=over)
            if not over and time.monotonic() - now > _LOOK_S:
                break
        if self._allotted != len(stack):
            self._allotted = len(stack) if self._blank and self._allotted is None else None
        shown = max((*self._looks, *self._times), default=-1)
        for index in [i for i, since in self._blank.items() if i < shown]:
            if now - self._blank[index] >= _HOLE_S:
                self._take(index, time.time())

    def _see(self, plane: Plane, now: float, *, over: bool) -> None:
        index = plane.index
        if plane.validity.reason in UNIFORM:
            self._blank.setdefault(index, now)
            return
        mark = zlib.crc32(plane.data.data)
        before = self._looks.get(index)
        if before is None or before.mark != mark:
            before = self._looks[index] = _Look(mark, now, time.time())
        if over or now - before.since >= _SETTLE_S:
            self._take(index, before.clock_s)

    def _take(self, index: int, clock_s: float) -> None:
        self._blank.pop(index, None)
        self._looks.pop(index, None)
        self._times[index] = clock_s
        self._queue.append(index)
        self._last = time.monotonic()

    def _judge(self, over: bool) -> State:
        if self._queue:
            return State.GROWING
        if self._allotted is not None and len(self._times) == self._allotted:
            return State.COMPLETE
        if over:
            return State.STOPPED
        if not self._times:
            return State.WAITING
        quiet_s = time.monotonic() - self._last
        return State.STOPPED if quiet_s >= self._patience_s else State.GROWING
