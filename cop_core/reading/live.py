"""A growing stack read as it grows; at its end what is read equals `cop_core.profile`."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.reading.estimator import CropReading, Estimator
from cop_core.reading.live_step import LiveStep
from cop_core.reading.partial_plane import Entry
from cop_core.reading.planes import prepare
from cop_core.reading.reader import profile_of
from cop_core.reading.settings import Settings
from cop_core.reading.survey import NO_SIGNAL, NOTHING_SEEN, Survey, Surveyor
from cop_core.stacks import Plane, Stack
from cop_core.stacks.files import file_state
from cop_core.stacks.growing.source import Source, State
from cop_core.statistics.profile import DepthProfile

BATCH: Final = 32
"""Crops in one step: about half a second on two CPU cores."""
_TOGETHER: Final = 4
"""Most planes in one step, while several wait."""
_GROWN: Final = 1.2
"""Growth in planes after which the stack's range is looked at anew while it grows."""

Crops = npt.NDArray[np.float32]


class LiveReading:
    """A growing stack being read, step by step.

    Every plane that comes is begun at once; while others wait, fewer of its crops are read
    first, and the rest when none waits. No plane is left out. Which planes hold no signal, and
    the range for ``stack-percentile``, are known for good when the acquisition has ended; until
    then both are those of the planes so far.

    Parameters
    ----------
    source : Source
        What grows.
    estimator : Estimator
        Reads it.
    settings : Settings, optional
        Normalisation and crops.
    name : str, optional
        Name of the profile; the source's where not given.
    batch_size : int
        Most crops in one step.
    """

    def __init__(
        self,
        source: Source,
        estimator: Estimator,
        settings: Settings | None = None,
        *,
        name: str | None = None,
        batch_size: int = BATCH,
    ) -> None:
        self._source, self._estimator = source, estimator
        self._settings = settings or Settings()
        self._name = name or source.name
        self._batch = batch_size
        self._entries: dict[int, Entry] = {}
        self._put_off: dict[int, None] = {}
        self._surveyor = Surveyor()
        self._found, self._found_at = NOTHING_SEEN, 0
        self._held: tuple[int, Crops] = (-1, np.empty((0, 1, 1), np.float32))
        self._handed: set[int] = set()
        self._stack: Stack | None = None
        self._files: dict[str, Any] | None = None
        self._ended = False
        self._steps = self._run()

    def __iter__(self) -> Iterator[LiveStep]:
        return self._steps

    def step(self) -> LiveStep:
        """Do a short piece of work.

        Raises
        ------
        InputError
            Where the source cannot be read, or the settings do not fit.
        """
        return next(self._steps)

    @property
    def profile(self) -> DepthProfile:
        """What has been read so far, by plane; at the end all planes of the stack.

        It may be asked for at any time, also from another thread.
        """
        entries = sorted(self._entries.copy().items())
        planes = tuple(entry.estimate for _, entry in entries)
        if self._stack is None:
            return DepthProfile(self._name, self._estimator.components, planes)
        return profile_of(
            planes,
            self._stack,
            self._estimator,
            self._settings,
            self._name,
            self._found,
            self._files,
        )

    def _run(self) -> Iterator[LiveStep]:
        while True:
            planes = self._source.news(_TOGETHER if self._source.waiting else 1)
            over = self._source.state in (State.COMPLETE, State.STOPPED)
            if planes:
                self._ended = False
                yield from self._begin(planes)
            elif self._put_off:
                yield self._go_on()
            elif over and not self._ended:
                yield from self._conclude()
            else:
                yield self._step(idle=True)

    def _begin(self, planes: Sequence[Plane]) -> Iterator[LiveStep]:
        """Read some crops of new planes, in one batch: fewer where more planes wait."""
        if self._stack is None:
            self._stack = self._source.stack()
        share = 1 + self._source.waiting
        most = max(1, self._batch // len(planes))
        work = []
        for plane in planes:
            self._handed.add(plane.index)
            self._surveyor.add(plane)
            crops = self._enter(plane, self._so_far())
            work.append((plane.index, crops, min(most, math.ceil(len(crops) / share))))
        self._read(work)
        for plane in planes:
            yield self._step(plane.index)

    def _so_far(self) -> Survey:
        """Return what the planes so far say; their range is not looked at for every plane."""
        seen = len(self._entries)
        if self._settings.normalisation == "stack-percentile" and seen >= self._found_at * _GROWN:
            self._found, self._found_at = self._surveyor.found(), seen + 1
        return replace(self._found, empty=self._surveyor.empty())

    def _enter(self, plane: Plane, found: Survey) -> Crops:
        """Enter a plane that is new, or to be read anew, and return its crops."""
        bare, crops = prepare(plane, self._settings, found, len(self._estimator.components))
        self._entries[plane.index] = Entry(bare, len(crops), found.range_counts)
        self._put_off.pop(plane.index, None)
        if len(crops):
            self._put_off[plane.index] = None
            self._held = plane.index, crops
        return crops

    def _read(self, work: Sequence[tuple[int, Crops, int]]) -> None:
        """Read the next crops of planes, at once: (plane, all its crops, how many)."""
        some = [(self._entries[i], crops, most) for i, crops, most in work if len(crops)]
        rows = [entry.next_crops(most) for entry, _, most in some]
        if not some:
            return
        crops = np.concatenate([crops[r] for (_, crops, _), r in zip(some, rows, strict=True)])
        read = self._estimator.read(crops, batch_size=self._batch)
        start = 0
        for (entry, _, _), own in zip(some, rows, strict=True):
            entry.enter(own, CropReading(*(v[start : start + len(own)] for v in read)))
            start += len(own)
            if not entry.left:
                del self._put_off[entry.estimate.index]

    def _go_on(self) -> LiveStep:
        """Read crops that were put off, of the plane that waits longest."""
        index = next(iter(self._put_off))
        if self._held[0] != index:
            entry = self._entries[index]
            found = Survey(entry.range_counts, frozenset())
            plane = self._source.stack().plane(index)
            _, crops = prepare(plane, self._settings, found, len(self._estimator.components))
            if not len(crops):
                # what could be read before cannot any more: the plane says why
                self._enter(plane, found)
                return self._step(index)
            self._held = index, crops
        self._read([(*self._held, self._batch)])
        return self._step(index)

    def _conclude(self) -> Iterator[LiveStep]:
        """Bring the planes to what is known of the whole stack."""
        stack = self._stack = self._source.stack()
        files = file_state(stack.source)
        self._entries = {i: e for i, e in self._entries.items() if i < len(stack)}
        unread = [i for i in range(len(stack)) if not self._surveyor.knows(i)]
        for index in unread:
            # not handed out, or unreadable then: what an offline reading sees counts
            plane = stack.plane(index)
            self._surveyor.add(plane)
            yield from self._anew(plane, self._so_far())
        found = self._found = self._surveyor.found()
        for index in [i for i in self._entries if self._judged_otherwise(i, found)]:
            yield from self._anew(stack.plane(index), found)
        for index, entry in self._entries.items():
            entry.place(float(stack.depth_um[index]), float(stack.power_mw[index]))
        self._files, self._ended = files, True

    def _anew(self, plane: Plane, found: Survey) -> Iterator[LiveStep]:
        self._enter(plane, found)
        yield self._step(plane.index)
        while self._put_off:
            yield self._go_on()

    def _judged_otherwise(self, index: int, found: Survey) -> bool:
        """Tell whether a plane must be read anew in the light of the whole stack."""
        entry = self._entries[index]
        if not self._surveyor.knows(index):
            return False
        of_range = self._settings.normalisation == "stack-percentile"
        moved = of_range and entry.range_counts != found.range_counts
        return moved or (entry.estimate.reason == NO_SIGNAL) != (index in found.empty)

    def _step(self, index: int | None = None, *, idle: bool = False) -> LiveStep:
        entry = None if index is None else self._entries[index]
        return LiveStep(
            state=self._source.state,
            estimate=None if entry is None else entry.estimate,
            whole=entry is not None and not entry.left,
            latency_s=self._latency_s(index),
            planes_waiting=self._source.waiting,
            crops_put_off=sum(self._entries[i].left for i in self._put_off),
            idle=idle,
            ended=self._ended,
        )

    def _latency_s(self, index: int | None) -> float:
        if index is None or index not in self._handed:
            return math.nan
        return time.time() - self._source.completed_at(index)
