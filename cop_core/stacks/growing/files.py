"""Stacks on disk that grow: zarr, TIFF, and folders where TIFFs appear."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks.growing.places import Look, Place
from cop_core.stacks.growing.source import State
from cop_core.stacks.open import open_stack

if TYPE_CHECKING:
    import os

    from cop_core.stacks.growing.places import Found
    from cop_core.stacks.growing.source import Source
    from cop_core.stacks.model import Plane, Stack

STOPPED_AFTER_S: Final = 30.0
"""Time in s without a new plane after which an acquisition is said to have stopped."""

_POLL_S: Final = 0.05
_LOOK_S: Final = 0.05
"""Least time in s between two looks at the disk, and the most that one look goes on."""
_SETTLE_S: Final = 0.1
"""Time in s for which a plane must read the same to be complete: not all writers swap files in."""
_HOLE_S: Final = 2.0
"""Time in s after which a plane that the writer passed over is handed out as empty."""
_AHEAD: Final = 8
"""Most planes that are looked for beyond the last one in a file written from front to back."""


def open_growing(
    path: str | os.PathLike[str],
    *,
    z_step_um: float | None = None,
    power: Any = None,
    channel: int | str | None = None,
    time: int | str | None = None,
    axes: str | None = None,
    name: str | None = None,
    stopped_after_s: float = STOPPED_AFTER_S,
    planned: int | None = None,
) -> Source:
    """Follow a stack that is being written.

    Parameters
    ----------
    path : str or Path
        An OME-Zarr image or a zarr array, a TIFF, or a folder of TIFFs of one plane each,
        numbered in their names. It need not exist yet.
    z_step_um, power, channel, time, axes, name
        As for `open_stack`. A writer that puts down the scale at the end only needs the z step.
    stopped_after_s : float, optional
        Time in s without a new plane after which the source is `State.STOPPED`.
    planned : int, optional
        Planes in all, where the file does not say.

    Returns
    -------
    Source
        Planes as they become complete. Where a plane reads as a single value, in a place that
        holds others too, it may be black or still to be written: it is handed out once the
        writer has gone on for 2 s. What is still to be told then is told by `stack`.

    Raises
    ------
    InputError
        If an option cannot be used. What is wrong with the path itself is said by `news`.
    """
    if not stopped_after_s > 0:
        problem = f"a wait of {stopped_after_s} s"
        raise InputError(problem, where="stopped_after_s", advice="give a number larger than 0")
    if planned is not None and planned < 1:
        raise InputError(f"{planned} planes", where="planned", advice="give 1 or more")
    options = {"z_step_um": z_step_um, "power": power, "channel": channel, "time": time}
    opening = {**options, "axes": axes, "name": name}
    return GrowingFile(Place(Path(path), opening), stopped_after_s, planned)


class GrowingFile:
    """A `Source` that looks at the disk; see `open_growing`."""

    def __init__(self, place: Place, stopped_after_s: float, planned: int | None) -> None:
        self._place, self._patience_s, self._told = place, stopped_after_s, planned
        self._found: Found | None = None
        self._looks: dict[int, Look] = {}
        self._passed: dict[int, float] = {}
        self._holes: set[int] = set()
        self._times: dict[int, float] = {}
        self._queue: deque[int] = deque()
        self._highest, self._ascending = -1, True
        self._length, self._fixed, self._ahead = 0, True, False
        self._next = self._last = self._looked = 0.0
        self._unsettled = False
        self._state = State.WAITING

    @property
    def name(self) -> str:
        """What the stack is called in tables and figures."""
        return self._place.name

    @property
    def source(self) -> str:
        """Path of the stack."""
        return str(self._place.path)

    @property
    def planned(self) -> int | None:
        """Planes in all, as given or as the file declares; None where neither says."""
        declares = self._found is not None and self._found.data.declared and self._fixed
        return self._told or (self._length if declares else None)

    @property
    def state(self) -> State:
        """Where the acquisition stands, as of the last `news`."""
        return self._state

    @property
    def waiting(self) -> int:
        """Planes that are complete and still to be handed out, as of the last `news`."""
        return len(self._queue)

    def completed_at(self, index: int) -> float:
        """Return when a plane was first seen as it was handed out, in s as `time.time` counts."""
        return self._times[index]

    def news(self, limit: int | None = None) -> list[Plane]:
        """Return planes that became complete and were not handed out before, in order."""
        if time.monotonic() >= self._next:
            started = time.monotonic()
            self._look()
            # looking takes half of the time at most, however many planes there are
            self._next = time.monotonic() + max(_POLL_S, time.monotonic() - started)
        planes: list[Plane] = []
        while self._found and self._queue and (limit is None or len(planes) < limit):
            plane = self._found.stack.plane(self._queue.popleft())
            if not plane.validity.readable and plane.index not in self._holes:
                # not whole after all: no more than blank until its files change
                del self._times[plane.index]
                look = self._looks[plane.index]
                self._looks[plane.index] = replace(look, mark=None, calm=True)
            else:
                self._looks.pop(plane.index, None)
                planes.append(plane)
        self._state = self._judge()
        return planes

    def stack(self) -> Stack:
        """Return the acquisition as it is now, as `open_stack` would give it."""
        try:
            return open_stack(self._place.path, **self._place.opening)
        except InputError:
            # one that is cut off, or of which there is one page only
            return self._place.open().stack

    def close(self) -> None:
        """Do nothing: files are open only while they are looked at."""

    def _look(self) -> None:
        started = time.monotonic()
        found = self._place.look(self._patience_s)
        if found is None:
            return
        self._fixed = self._fixed and self._length in (0, len(found.stack))
        self._found, self._length = found, len(found.stack)
        now = time.monotonic()
        seen = self._seen(found, now, max(_LOOK_S, now - started))
        self._ahead = self._ahead or self._length - len(seen) - len(self._times) >= 2
        last = seen[-1] if found.data.growth.in_order and seen else None
        for index in seen:
            look = self._looks[index]
            if now - look.steady_since >= _SETTLE_S or (last is not None and index != last):
                self._ascending = self._ascending and index > self._highest
                self._take(index, look.clock_s)
        self._take_holes(now)
        self._looked, self._unsettled = now, any(index not in self._times for index in seen)

    def _seen(self, found: Found, now: float, most_s: float) -> list[int]:
        """Return planes that show something and were not taken yet, after a look at each."""
        seen: list[int] = []
        blank = 0
        for index in range(self._length):
            if index in self._times:
                continue
            if self._shows(found, index, now):
                seen.append(index)
            else:
                blank += 1
            if time.monotonic() - now > most_s or (found.data.growth.in_order and blank > _AHEAD):
                break
        return seen

    def _shows(self, found: Found, index: int, now: float) -> bool:
        """Look at a plane, and tell whether something was written to it."""
        stamp, old = found.stamp(index), self._looks.get(index)
        if stamp is None:
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
        self._looks[index] = Look(stamp, mark, calm_since, same_since, calm, clock_s)
        return mark is not None

    def _take(self, index: int, clock_s: float) -> None:
        self._times[index] = clock_s
        self._queue.append(index)
        self._highest = max(self._highest, index)
        self._last = time.monotonic()

    def _take_holes(self, now: float) -> None:
        """Take planes that show nothing though the writer went on beyond them."""
        for index in range(self._highest):
            if index not in self._times:
                since = self._passed.setdefault(index, now)
                if self._ascending and now - since >= min(_HOLE_S, self._patience_s):
                    self._holes.add(index)
                    self._take(index, time.time())

    def _judge(self) -> State:
        if not self._times:
            return State.WAITING
        # by the time of the last look: this process may have been kept waiting since
        idle_s = self._looked - self._last
        if self._queue or self._unsettled:
            return State.GROWING
        if self.planned is not None and len(self._times) >= self.planned:
            # a writer that enlarges the array in pieces declares what is there, now and then
            sure_s = 0.0 if self._told else _HOLE_S if self._ahead else self._patience_s
            if idle_s >= min(sure_s, self._patience_s):
                return State.COMPLETE
        return State.STOPPED if idle_s >= self._patience_s else State.GROWING
