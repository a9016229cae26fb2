"""Detection of complete planes in growing stacks, for files and arrays."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cop_core.records import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.stacks.dataset import Stamp
    from cop_core.stacks.growing.source import Growing, Snapshot
    from cop_core.stacks.model import Plane, Stack

STOPPED_AFTER_S: Final = 30.0
"""Time in s without a new plane after which an acquisition counts as stopped."""

_POLL_S: Final = 0.05
_LOOK_S: Final = 0.05
"""Minimum time in s between two looks, and maximum duration of one look."""
_SETTLE_S: Final = 0.1
"""Time in s for which a plane must not change to count as complete: it may be half written."""
_HOLE_S: Final = 2.0
"""Time in s after which a plane skipped by the writer is delivered as empty."""
_AHEAD: Final = 8
"""Maximum number of planes sought beyond the last one in a file written from front to back."""


@dataclass(frozen=True)
class _Look:
    """State of a plane at a look.

    Attributes
    ----------
    stamp : tuple
        State of its files; empty if not informative.
    mark : object
        The same, or a checksum of its pixels if files have other planes too; None for an unwritten
        plane.
    calm_since, same_since : float
        Times since which stamp and mark have not changed.
    calm : bool
        Whether the files had stopped changing.
    clock_s : float
        `same_since` in s as of `time.time`.
    """

    stamp: Stamp
    mark: Stamp | int | None
    calm_since: float
    same_since: float
    calm: bool
    clock_s: float

    def settled(self, now: float) -> bool:
        """Whether the plane has not changed for long enough."""
        since = min(self.calm_since, self.same_since) if self.stamp else self.same_since
        return now - since >= _SETTLE_S


class SettledPlanes:
    """Planes that have not changed for a while, each delivered once; a `Source`.

    A plane of a single value in a file with other planes may be black or unwritten: it is delivered
    once the writer has continued, in order, for 2 s.

    Parameters
    ----------
    growing : Growing
        Where planes are sought.
    stopped_after_s : float
        Time in s without a new plane after which the source is `State.STOPPED`.
    planned : int, optional
        Total number of planes, if the user knows it.
    """

    def __init__(
        self,
        growing: Growing,
        stopped_after_s: float = STOPPED_AFTER_S,
        planned: int | None = None,
    ) -> None:
        self._growing, self._patience_s, self._told = growing, stopped_after_s, planned
        self.state = State.WAITING
        self._found: Snapshot | None = None
        self._length, self._fixed = 0, True
        self._were_blank: set[int] = set()
        self._looks: dict[int, _Look] = {}
        self._passed: dict[int, float] = {}
        self._holes: set[int] = set()
        self._times: dict[int, float] = {}
        self._queue: deque[int] = deque()
        self._at = self._highest = -1
        self._ascending = True
        self._next = self._last = self._looked = 0.0
        self._round_began, self._in_round = 0.0, 0

    @property
    def name(self) -> str:
        return self._growing.name

    @property
    def source(self) -> str:
        return self._growing.source

    @property
    def planned(self) -> int | None:
        """Total number of planes, as given or declared by the stack; None if neither is known."""
        return self._stated or (None if self._sure_after_s() is None else self._length)

    @property
    def _stated(self) -> int | None:
        return self._told or (self._found.data.planned if self._found else None)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def completed_at(self, index: int) -> float:
        return self._times[index]

    def news(self, limit: int | None = None) -> list[Plane]:
        over = self._growing.ended  # before the look: nothing arrives after it
        if over or self._growing.replaced or time.monotonic() >= self._next:
            started = time.monotonic()
            self._look(started, over=over)
            # looking takes at most half of the time, however many planes there are
            self._next = time.monotonic() + max(_POLL_S, time.monotonic() - started)
        planes: list[Plane] = []
        while self._found and self._queue and (limit is None or len(planes) < limit):
            plane = self._found.stack.plane(self._queue.popleft())
            if plane.validity.readable or plane.index in self._holes:
                self._looks.pop(plane.index, None)
                planes.append(plane)
            else:
                # not complete after all: treated as blank until its files change
                del self._times[plane.index]
                look = self._looks[plane.index]
                self._looks[plane.index] = replace(look, mark=None, calm=True)
        self.state = self._judge(over=over)
        return planes

    def stack(self) -> Stack:
        return self._growing.stack()

    def close(self) -> None:
        self._growing.close()

    def _sure_after_s(self) -> float | None:
        if self._stated:
            return 0.0
        if self._found is None or not self._fixed:
            return None
        return self._growing.sure_after_s(self._found, len(self._were_blank))

    def _look(self, started: float, *, over: bool) -> None:
        found = self._growing.look(self._highest + 1)
        if found is None:
            return
        now = time.monotonic()
        self._fixed = self._fixed and self._length in (0, len(found.stack))
        self._found, self._length = found, len(found.stack)
        self._looks = {i: look for i, look in self._looks.items() if i < self._length}
        shown, blank = self._see(now, math.inf if over else max(_LOOK_S, now - started))
        self._were_blank.update(blank)
        settled = [i for i in shown if over or self._looks[i].settled(now)]
        passed = [i for i in blank if i < max([self._highest, *settled])]
        # a file written from front to back has a complete plane before the next begins
        whole = shown[:-1] if found.data.growth.in_order else []
        for index in sorted({*settled, *whole}):
            self._ascending = self._ascending and index not in self._passed
            self._take(index, self._looks[index].clock_s)
        for index in passed:
            since = self._passed.setdefault(index, now)
            if self._ascending and now - since >= min(_HOLE_S, self._patience_s):
                self._holes.add(index)
                self._take(index, time.time())
        if not self._in_round:
            self._looked = max(self._round_began, self._last)

    def _see(self, now: float, most_s: float) -> tuple[list[int], list[int]]:
        """Examine planes not delivered yet: those that were written to, and others.

        If there are many, a round over all of them takes several looks.
        """
        shown: list[int] = []
        blank: list[int] = []
        in_order = self._found is not None and self._found.data.growth.in_order
        due, others = self._order(now, in_order=in_order)
        if not self._in_round:
            self._round_began = now
        for number, index in enumerate((*due, *others), start=1 - len(due)):
            if number > 0:
                self._at, self._in_round = index, self._in_round + 1
            (shown if self._shows(index, now) else blank).append(index)
            ahead = in_order and len(blank) > _AHEAD
            if number > 0 and (ahead or self._in_round >= len(others)):
                self._in_round = 0
                break
            if time.monotonic() - now > most_s:
                break
        else:
            self._in_round = 0
        return sorted(shown), sorted(blank)

    def _order(self, now: float, *, in_order: bool) -> tuple[Sequence[int], Sequence[int]]:
        """Return the planes that may have settled, and others, continuing from the last look."""
        left = [index for index in range(self._length) if index not in self._times]
        if in_order:
            return (), left
        pending = {i: look.settled(now) for i, look in self._looks.items() if look.mark is not None}
        at = bisect_right(left, self._at)
        due = [i for i in left if pending.get(i)]
        return due, [i for i in (*left[at:], *left[:at]) if i not in pending]

    def _shows(self, index: int, now: float) -> bool:
        """Examine a plane, and return whether it was written to."""
        found, old = self._found, self._looks.get(index)
        stamp = found.stamp(index) if found else None
        if found is None or stamp is None:
            return False
        calm_since, same_since, clock_s = now, now, time.time()
        if old and old.stamp == stamp:
            if stamp and old.calm and old.mark is None:
                return False
            calm_since = old.calm_since
        mark = stamp if stamp and not found.shared else found.checksum(index)
        if old and old.mark == mark:
            same_since, clock_s = old.same_since, old.clock_s
        calm = now - calm_since >= _SETTLE_S
        self._looks[index] = _Look(stamp, mark, calm_since, same_since, calm, clock_s)
        return mark is not None

    def _take(self, index: int, clock_s: float) -> None:
        self._times[index] = clock_s
        self._queue.append(index)
        self._highest = max(self._highest, index)
        self._last = time.monotonic()

    def _judge(self, *, over: bool) -> State:
        sure_after_s, planned = self._sure_after_s(), self.planned
        complete = planned is not None and len(self._times) >= planned
        unsettled = any(k.mark is not None for i, k in self._looks.items() if i not in self._times)
        if self._queue or (unsettled and self._times and not over):
            return State.GROWING
        if over:
            return State.COMPLETE if complete else State.STOPPED
        if not self._times:
            return State.WAITING
        # by the time of the last look: this process may have been delayed since
        idle_s = self._looked - self._last
        if complete and sure_after_s is not None and idle_s >= min(sure_after_s, self._patience_s):
            return State.COMPLETE
        return State.STOPPED if idle_s >= self._patience_s else State.GROWING
