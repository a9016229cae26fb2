"""Reading of a stack step by step, finished or still growing; the final result is the same."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from cop_core.errors import InputError
from cop_core.reading.blocks import BlockPool, block_pool
from cop_core.reading.crops import NO_CROPS, PlaneCrops, crops_of_a_plane
from cop_core.reading.estimator import CropReading, Estimator
from cop_core.reading.plane_blocks import BATCH, Elsewhere, PlanesRead, StackWork, versions
from cop_core.reading.planes import PartialPlane, not_read, prepare
from cop_core.reading.survey import NOTHING_SEEN, Basis, PlaneLook, Survey, Surveyor, look
from cop_core.recipes import ReadingOptions
from cop_core.recipes.values import below
from cop_core.records import (
    DepthProfile,
    FileState,
    MeasuredDetector,
    PlaneEstimate,
    Provenance,
    ReadingStep,
    StoredImage,
    zero_level,
)
from cop_core.stacks import Plane, Stack, Validity, detector_of
from cop_core.stacks.aborted import ABORTED, how_much
from cop_core.stacks.files import file_state
from cop_core.stacks.growing import Source, State
from cop_core.stacks.structure import Structure

_TOGETHER: Final = 4
"""Maximum number of planes begun in one step while several wait."""
_AHEAD: Final = 2 * BATCH
"""Maximum number of crops prepared while the network works."""
_FEW: Final = 8
"""Planes of a finished stack surveyed before any is read."""
_GROWN: Final = 1.2
"""Factor of growth after which the range of a growing stack is computed anew."""

_Begun = tuple[PartialPlane, PlaneCrops]
"""A plane and its crops, to be read."""
_Read = tuple[PartialPlane, list[int], CropReading]
"""Readings of some crops of a plane."""


class StackReader:
    """Reader of one stack, step by step; it keeps its readings.

    Iterating does the work. You may stop after any step; iterating again continues from there.

    The planes without signal, the hot and dead pixels, and the range for ``stack-percentile`` are
    final only when all planes have been surveyed. A finished stack is surveyed while it is read, so
    that each plane is decoded once: planes are read on the findings in a few, and again at the end
    if those in all differ. It is surveyed before it is read if the few have hot or dead pixels, and
    for ``stack-percentile``.

    In a growing stack every plane is begun when it arrives, on the findings in the planes so far;
    while others wait, only some of its crops are read, and the rest when none is waiting. No plane
    is skipped.

    Parameters
    ----------
    source : Stack or Source
        The stack to read.
    estimator : Estimator
        The network that reads it.
    reading : ReadingOptions, optional
        Normalisation and crops; weights, device and precision are those of the estimator.
    name : str, optional
        Name of the profile; by default that of the stack.
    batch_size : int
        Largest number of crops in one step.
    elsewhere : callable, optional
        Hands the planes of a finished stack to workers, given the work, the number of planes, and
        the number of crops of each.

    Raises
    ------
    InputError
        While iterating, if the source cannot be read.
    """

    def __init__(
        self,
        source: Stack | Source,
        estimator: Estimator,
        reading: ReadingOptions | None = None,
        *,
        name: str | None = None,
        batch_size: int = BATCH,
        elsewhere: Callable[[StackWork, int, int], Elsewhere] | None = None,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"the batch size cannot be {batch_size}", advice="use 1 or more")
        self._source: Source | None = None if isinstance(source, Stack) else source
        self._stack: Stack | None = None
        self._estimator = estimator
        self._reading = self._known = estimator.read_with(reading or ReadingOptions())
        self._detector: MeasuredDetector | None = None
        if isinstance(source, Stack):
            self._know(source)
        self._name = name or source.name
        self._batch = batch_size
        self._planes: dict[int, PartialPlane] = {}
        self._put_off: dict[int, None] = {}
        self._held: tuple[int, PlaneCrops] = (-1, NO_CROPS)
        self._validities: dict[int, Validity] = {}
        self._handed: set[int] = set()
        self._told: set[int] = set()
        self._again: set[int] = set()
        self._to_read: set[int] | None = None
        self._surveyor = Surveyor()
        self._found, self._found_at = NOTHING_SEEN, 0
        self._files: FileState | None = None
        self._surveyed = self._ended = False
        self._done = 0
        self._machines: Counter[str] = Counter()
        self._elsewhere = None if elsewhere is None else self._sent(elsewhere)
        self._steps = self._run()

    def __iter__(self) -> Iterator[ReadingStep]:
        return self._steps

    def step(self) -> ReadingStep:
        """Do one short step of work."""
        return next(self._steps)

    @property
    def profile(self) -> DepthProfile:
        """What has been read so far; planes of a finished stack still to come are `NOT_READ`.

        You may access it at any time, also from another thread and before the first step.
        """
        told = self._told.copy()  # first: a plane told is known, also while another thread reads
        known = {i: plane.estimate for i, plane in self._planes.copy().items()}
        components = self._estimator.components
        if self._source is None and self._stack is not None:
            missing = [i for i in range(len(self._stack)) if i not in told]
            known |= {i: not_read(self._stack, i, len(components)) for i in missing}
        stack = self._stack
        for index, why in (stack.options.left_out if stack else {}).items():
            if index in known and not known[index].reason:
                known[index] = replace(known[index], reason=why)
        planes = tuple(known[i] for i in sorted(known))
        made = None if stack is None else self._provenance(stack, whole=self._ended)
        return DepthProfile(self._name, components, planes, self._reading, provenance=made)

    # --- steps -------------------------------------------------------------------------------

    def _run(self) -> Iterator[ReadingStep]:
        if self._source is not None:
            yield from self._grow(self._source)
            return
        assert self._stack is not None
        self._files = file_state(self._stack.source)
        if self._elsewhere is not None:
            yield from self._follow(self._stack, self._elsewhere)
        else:
            yield from self._read_finished(self._stack)
        if not len(self._stack):
            yield self._step()

    def _grow(self, source: Source) -> Iterator[ReadingStep]:
        """Read a source for as long as the caller iterates."""
        while True:
            planes = source.news(_TOGETHER if source.waiting else 1)
            over = source.state in (State.COMPLETE, State.STOPPED)
            if planes:
                self._ended = False
                yield from self._begin(source, planes)
            elif self._put_off:
                yield self._go_on(source.stack)
            elif over and not self._ended:
                yield from self._conclude(source)
                self._ended = True
                yield self._step()
            else:
                yield self._step(idle=True)

    def _read_finished(self, stack: Stack) -> Iterator[ReadingStep]:
        n = len(stack)
        yield from self._survey(stack, np.unique(np.linspace(0, n - 1, min(n, _FEW)).astype(int)))
        if self._found.masked or self._reading.normalisation == "stack-percentile":
            yield from self._survey(stack, range(n))
        due: Sequence[int] = range(n)
        while due:
            yield from self._read_through(stack, due)
            due, self._again = sorted(self._again), set()

    def _survey(self, stack: Stack, indices: Iterable[int]) -> Iterator[ReadingStep]:
        """Survey planes of a finished stack before reading any, without those seen before."""

        def look_at(index: int) -> PlaneLook:
            return look(stack.plane(index), len(stack))

        new = [int(i) for i in indices if i not in self._validities]
        for seen in block_pool().stream(look_at, new, self._ahead(stack)):
            self._see(seen)
            yield self._step()
        self._judge(stack, {})

    def _see(self, seen: PlaneLook) -> None:
        """Add a plane to the survey of a finished stack."""
        self._surveyor.add(seen)
        self._validities[seen.plane.index] = seen.plane.validity
        self._done += 1

    def _judge(self, stack: Stack, bases: Mapping[int, Basis]) -> None:
        """Update the findings on a finished stack to the planes surveyed so far.

        Planes begun on other bases must be read again.
        """
        found = self._found = self._surveyor.found()
        self._surveyed = len(self._validities) == len(stack)
        self._again = {i for i, basis in bases.items() if basis != self._basis(i, found)}
        self._done -= len(self._again & self._told)
        unusable = {i for i, validity in self._validities.items() if not validity.ok}
        over = self._told - self._again
        self._to_read = set(range(len(stack))) - unusable - found.empty - over

    def _read_through(self, stack: Stack, indices: Sequence[int]) -> Iterator[ReadingStep]:
        """Read planes of a finished stack, with enough at a time to fill one batch."""
        bases: dict[int, Basis] = {}

        def prepare_one(index: int) -> tuple[PlaneLook | None, _Begun]:
            plane = stack.plane(index, self._validities.get(index))
            seen = None if index in self._validities else look(plane, len(stack))
            own = seen.structure if seen else None
            return seen, self._prepare(plane, self._basis(index, self._found, own))

        def surveyed() -> Iterator[_Begun]:
            for seen, begun in block_pool().stream(prepare_one, indices, self._ahead(stack)):
                if seen is not None:
                    self._see(seen)
                bases[begun[0].index] = begun[0].basis
                if not self._surveyed and len(bases) == len(indices):
                    self._judge(stack, bases)  # before the last plane counts as read
                yield begun

        def read_some(some: list[_Begun]) -> tuple[list[_Begun], list[_Read]]:
            return some, self._read((*plane, self._batch // len(some)) for plane in some)

        fit = self._batch // self._crops_of_a_plane(stack)
        begun = surveyed()
        batches = iter(lambda: list(islice(begun, max(1, fit))), [])
        # the next planes are read while these are entered and reported, unless they are huge
        for some, read in BlockPool(1).stream(read_some, batches, ahead=min(1, fit)):
            self._enter(some)
            self._take(read)
            for plane, _ in some:
                yield self._step(plane.index)
            while self._put_off:
                yield self._go_on(lambda: stack)

    def _ahead(self, stack: Stack) -> int:
        """Return the number of planes prepared in advance: none if they are huge."""
        return _AHEAD // self._crops_of_a_plane(stack)

    def _crops_of_a_plane(self, stack: Stack) -> int:
        return crops_of_a_plane(stack.shape[1:], self._reading.crops)

    def _sent(self, elsewhere: Callable[[StackWork, int, int], Elsewhere]) -> Elsewhere | None:
        """Have workers read the stack; None if they cannot open it."""
        stack = self._stack
        if self._source is not None or stack is None or stack.options.source is None:
            return None  # its pixels are not in a file
        source = below(Path.cwd(), stack.options.source)
        options = stack.options.but(source=source, power=None, power_scale=None, detector=None)
        reading = self._known.but(
            device=self._estimator.device.type,
            precision=str(self._estimator.precision).removeprefix("torch."),
        )
        used = self._estimator.used
        work = StackWork(options, stack.image, reading, used.sha256, versions())
        return elsewhere(work, len(stack), self._crops_of_a_plane(stack))

    def _follow(self, stack: Stack, elsewhere: Elsewhere) -> Iterator[ReadingStep]:
        """Collect the readings of workers."""
        for news in elsewhere:
            if isinstance(news, PlanesRead):
                self._machines[news.machine] += len(news.estimates)
                for estimate in news.estimates:
                    yield self._step(self._enter_read(stack, estimate))
            elif isinstance(news, Survey):
                self._found, self._surveyed = news, True
            else:
                self._done += news or 0
                yield self._step(idle=news is None)

    def _enter_read(self, stack: Stack, estimate: PlaneEstimate) -> int:
        """Enter a plane read by a worker, with the depth and power known here."""
        i = estimate.index
        plane = PartialPlane(
            replace(estimate, power_unit=stack.power_unit), 0, self._basis(i, self._found)
        )
        plane.place(float(stack.depth_um[i]), float(stack.power[i]))
        self._planes[i] = plane
        return i

    def _begin(self, source: Source, planes: Sequence[Plane]) -> Iterator[ReadingStep]:
        """Read some crops of new planes in one batch: the more planes wait, the fewer of each."""
        if self._stack is None:
            self._know(source.stack())
        most, share = max(1, self._batch // len(planes)), 1 + source.waiting
        bases = []
        for plane in planes:
            self._handed.add(plane.index)
            self._surveyor.add(look(plane))
            bases.append(self._basis(plane.index, self._so_far()))
        work = list(zip(planes, bases, strict=True))
        begun = block_pool().each(lambda plane_and_basis: self._prepare(*plane_and_basis), work)
        self._enter(begun)
        shares = [(*one, min(most, math.ceil(one[0].left / share))) for one in begun]
        self._take(self._read(shares))
        for plane in planes:
            yield self._step(plane.index)

    def _know(self, stack: Stack) -> None:
        """Take a stack, and the zero level of its detector."""
        self._stack = stack
        self._detector = detector_of(stack.options, self._reading)
        zero = zero_level(self._reading, self._detector, stack.image)
        self._known = self._reading.but(offset_counts=zero)

    def _so_far(self) -> Survey:
        """Return the findings of the planes so far; not all are updated for every plane."""
        if self._surveyed:
            return self._found
        seen = len(self._planes)
        if seen >= self._found_at * _GROWN:
            self._found, self._found_at = self._surveyor.found(), seen + 1
        return replace(self._found, empty=self._surveyor.empty())

    def _basis(self, index: int, found: Survey, own: Structure | None = None) -> Basis:
        return found.basis(index, self._reading.normalisation, own)

    def _prepare(self, plane: Plane, basis: Basis) -> _Begun:
        bare, crops = prepare(plane, self._known, basis, len(self._estimator.components))
        return PartialPlane(bare, len(crops), basis), crops

    def _enter(self, begun: Iterable[_Begun]) -> None:
        """Enter planes that are new or must be read again."""
        for plane, crops in begun:
            self._planes[plane.index] = plane
            self._put_off.pop(plane.index, None)
            if len(crops):
                self._put_off[plane.index] = None
                self._held = plane.index, crops

    def _read(self, work: Iterable[tuple[PartialPlane, PlaneCrops, int]]) -> list[_Read]:
        """Read the next crops of planes, at most so many of each; may run in any thread."""
        some = [(plane, crops, plane.next_crops(most)) for plane, crops, most in work]
        pixels = [crops[row] for _, crops, rows in some for row in rows]
        if not pixels:
            return []
        read, start, parts = self._estimator.read(np.stack(pixels), batch_size=self._batch), 0, []
        for plane, _, rows in some:
            parts.append((plane, rows, read.part(start, start + len(rows))))
            start += len(rows)
        return parts

    def _take(self, parts: Iterable[_Read]) -> None:
        """Enter the readings of planes already entered."""
        for plane, rows, read in parts:
            if rows:
                plane.enter(rows, read)
            if not plane.left:
                self._put_off.pop(plane.index, None)

    def _go_on(self, stack: Callable[[], Stack]) -> ReadingStep:
        """Read deferred crops of the plane that has waited longest."""
        index = next(iter(self._put_off))
        if self._held[0] != index:
            begun = self._prepare(stack().plane(index), self._planes[index].basis)
            _, crops = begun
            if not len(crops):
                # it could be read before but no longer can: the plane states why
                self._enter([begun])
                return self._step(index)
            self._held = index, crops
        self._take(self._read([(self._planes[index], self._held[1], self._batch)]))
        return self._step(index)

    # --- the end of a stack that grew ----------------------------------------------------------

    def _conclude(self, source: Source) -> Iterator[ReadingStep]:
        """Update the planes to what is known of the whole stack."""
        stack = self._stack = source.stack()
        self._files = file_state(stack.source)
        self._planes = {i: p for i, p in self._planes.items() if i < len(stack)}
        for index in [i for i in range(len(stack)) if not self._surveyor.knows(i)]:
            # not delivered, or unreadable at the time: the plane as read offline counts
            plane = stack.plane(index)
            self._surveyor.add(look(plane))
            yield from self._anew(source, plane, self._so_far())
        found = self._found = self._surveyor.found()
        for index in [i for i in self._planes if self._judged_otherwise(i, found)]:
            yield from self._anew(source, stack.plane(index), found)
        for index, read in self._planes.items():
            read.place(float(stack.depth_um[index]), float(stack.power[index]))

    def _anew(self, source: Source, plane: Plane, found: Survey) -> Iterator[ReadingStep]:
        self._enter([self._prepare(plane, self._basis(plane.index, found))])
        yield self._step(plane.index)
        while self._put_off:
            yield self._go_on(source.stack)

    def _judged_otherwise(self, index: int, found: Survey) -> bool:
        """Return whether a plane must be read again, given the whole stack."""
        known = self._surveyor.knows(index)
        return known and self._planes[index].basis != self._basis(index, found)

    # --- reports -----------------------------------------------------------------------------

    def _step(self, index: int | None = None, *, idle: bool = False) -> ReadingStep:
        plane = None if index is None else self._planes[index]
        whole = plane is not None and not plane.left
        source = self._source
        total = 2 * len(self._stack) if source is None and self._stack is not None else 0
        if source is None:
            if whole and plane is not None:
                self._told.add(plane.index)
                if plane.index not in self._again:
                    (self._to_read or set()).discard(plane.index)
                    self._done += 1
            self._ended = self._done == total
        return ReadingStep(
            state=State.COMPLETE if source is None else source.state,
            estimate=None if plane is None else plane.estimate,
            whole=whole,
            done=self._done,
            total=total,
            to_read=None if self._to_read is None else len(self._to_read),
            latency_s=self._latency_s(index),
            planes_waiting=0 if source is None else source.waiting,
            crops_put_off=sum(self._planes[i].left for i in self._put_off),
            idle=idle,
            ended=self._ended,
        )

    def _latency_s(self, index: int | None) -> float:
        if self._source is None or index is None or index not in self._handed:
            return math.nan
        return time.time() - self._source.completed_at(index)

    def _provenance(self, stack: Stack, *, whole: bool) -> Provenance:
        final = self._surveyed or self._source is not None
        low, high = self._found.range_counts if final else NOTHING_SEEN.range_counts
        return Provenance(
            source=stack.source,
            opened=stack.options,
            image=self._image(stack),
            weights=self._estimator.used,
            device=str(self._estimator.device),
            precision=str(self._estimator.precision).removeprefix("torch."),
            files=self._files,
            whole=whole,
            stack_range_counts=None if math.isnan(low) else (low, high),
            versions=versions(),
            detector=self._detector,
            machines=dict(sorted(self._machines.items())),
        )

    def _image(self, stack: Stack) -> StoredImage:
        """Return how a stack is stored; for one that grew, with a remark if planes never came."""
        image, planned = stack.image, self._source.planned if self._source else None
        if planned is None or any(ABORTED in remark for remark in image.remarks):
            return image
        lacking = how_much(len(self._planes), planned, "planes")
        return replace(image, remarks=(*image.remarks, *lacking))
