"""A first look at a whole stack: its range, its fixed pixels, which planes hold no signal."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cop_core.reading.normalisation import PERCENTILES
from cop_core.recipes import Normalisation
from cop_core.stacks.fixed_pixels import FEWEST_PLANES, FixedPixels, Mask, far_pixels, picture_of
from cop_core.stacks.model import Plane, Stack
from cop_core.stacks.structure import Structure, least_structure, structure

_SAMPLE = 1 << 21
"""Most pixels kept of a stack; a sample of every other row and column is taken beyond."""


@dataclass(frozen=True)
class Survey:
    """What a stack's planes hold.

    Attributes
    ----------
    range_counts : tuple of float
        The stack's 0.1 and 99.9 percentiles over the images of valid planes; NaN where there
        is none.
    empty : frozenset of int
        Planes without signal. Either their structure (SD of means over 8x8 blocks) is no more
        than white noise of the pixels makes, or it is below half of the pixels' SD and below
        2 % of the median plane's: stray light, as before the first cells of a stack.
    masked : frozenset of int
        Hot and dead pixels (`FixedPixels.found`).
    least_structure : float
        Those 2 %, in counts.
    """

    range_counts: tuple[float, float]
    empty: frozenset[int]
    masked: frozenset[int] = frozenset()
    least_structure: float = 0.0

    def basis(self, index: int, normalisation: Normalisation) -> Basis:
        """Return what of it decides how a plane is read."""
        empty = index in self.empty
        return Basis(
            self.range_counts if normalisation == "stack-percentile" else None,
            self.masked,
            empty,
            self.least_structure if empty else 0.0,
        )


@dataclass(frozen=True)
class Basis:
    """What is known of a stack when one of its planes is read; equal where it is read the same.

    Attributes
    ----------
    range_counts : tuple of float or None
        The stack's range, where the normalisation takes it.
    masked : frozenset of int
        Hot and dead pixels.
    empty : bool
        Whether the plane, with these pixels in it, was found to hold no signal.
    least_structure : float
        Structure in counts below which it holds stray light.
    """

    range_counts: tuple[float, float] | None
    masked: frozenset[int]
    empty: bool
    least_structure: float

    def finds_signal(self, image: npt.NDArray[Any]) -> bool:
        """Tell whether a plane, its fixed pixels masked, holds signal; they may have hidden it."""
        hidden = self.empty and bool(self.masked)
        return structure(image).is_signal(self.least_structure) if hidden else not self.empty


NOTHING_SEEN: Final = Survey((math.nan, math.nan), frozenset())
"""Of a stack without a valid plane, or one not surveyed yet."""


class PlaneLook(NamedTuple):
    """A plane, and what is in its pixels where it is valid."""

    plane: Plane
    structure: Structure | None = None
    far: tuple[Mask, Mask] | None = None


def look(plane: Plane, planes: float = math.inf) -> PlaneLook:
    """Look at the pixels of a plane, one of so many; any thread may do it, and it takes its time.

    Fixed pixels, whose search takes several times the memory of a plane, are not looked for in
    fewer planes than they are found in.
    """
    if not plane.validity.ok:
        return PlaneLook(plane)
    image = picture_of(plane)
    few = planes < FEWEST_PLANES
    return PlaneLook(plane, structure(image), None if few else far_pixels(image))


class Surveyor:
    """Sees the planes of a stack one by one, in any order, with flat memory.

    What it finds does not depend on the order, nor on how many planes are still to come.
    """

    def __init__(self) -> None:
        self._stride = 1
        self._samples: dict[int, npt.NDArray[Any]] = {}
        self._corners: dict[int, tuple[int, int]] = {}
        self._held = 0
        self._structures: dict[int, Structure] = {}
        self._fixed = FixedPixels()
        self._shape: tuple[int, ...] = (0, 0)

    def add(self, looked: PlaneLook) -> None:
        """Take the structure of a plane and a sample of its pixels, where it is valid."""
        plane, found, far = looked
        if found is None:
            return
        image, border = picture_of(plane), plane.validity.border
        while image[:: self._stride, :: self._stride].size > _SAMPLE:
            self._thin()
        # Offsets wander, so that a stride that divides the width still sees every column.
        start = plane.index % self._stride
        sample = image[start :: self._stride, start :: self._stride].copy()
        self._samples[plane.index] = sample
        self._corners[plane.index] = border.top, border.left
        self._structures[plane.index] = found
        if far is not None:
            self._fixed.add(plane, far)
        self._shape = plane.data.shape
        self._held += sample.size
        while self._held > _SAMPLE:
            self._thin()

    def join(self, other: Surveyor) -> None:
        """Take what another has seen of other planes of the same stack; it stays as it is."""
        if not other._structures:
            return
        theirs = copy(other)
        theirs._samples = dict(other._samples)
        while theirs._stride < self._stride:
            theirs._thin()
        while self._stride < theirs._stride:
            self._thin()
        self._samples |= theirs._samples
        self._corners |= theirs._corners
        self._structures |= theirs._structures
        self._fixed.join(theirs._fixed)
        self._shape = theirs._shape
        self._held += theirs._held
        while self._held > _SAMPLE:
            self._thin()

    def _thin(self) -> None:
        """Double the stride, as if it had been so from the start."""
        for index, sample in self._samples.items():
            first = index // self._stride % 2
            self._samples[index] = sample[first::2, first::2].copy()
        self._stride *= 2
        self._held = sum(sample.size for sample in self._samples.values())

    def knows(self, index: int) -> bool:
        """Tell whether a plane was seen and valid."""
        return index in self._structures

    def found(self) -> Survey:
        """Return what the planes seen so far hold."""
        if not self._samples:
            return NOTHING_SEEN
        masked = self._fixed.found()
        return Survey(self._range_counts(masked), self.empty(), masked, self._least_structure())

    def _range_counts(self, masked: frozenset[int]) -> tuple[float, float]:
        hidden = np.zeros(self._shape, bool)
        hidden.flat[list(masked)] = True
        counts = np.concatenate([self._shown(index, hidden) for index in self._samples])
        low, high = np.percentile(counts, PERCENTILES)
        return float(low), float(high)

    def _shown(self, index: int, hidden: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the pixels of a plane's sample that are not hidden, one after the other."""
        sample, (top, left) = self._samples[index], self._corners[index]
        start = index % self._stride
        where = hidden[top + start :: self._stride, left + start :: self._stride]
        shown: npt.NDArray[Any] = sample[~where[: sample.shape[0], : sample.shape[1]]]
        return shown

    def empty(self) -> frozenset[int]:
        """Return those of the planes seen so far that hold no signal."""
        least = self._least_structure()
        return frozenset(i for i, s in self._structures.items() if not s.is_signal(least))

    def _least_structure(self) -> float:
        return least_structure(self._structures.values())


def survey(stack: Stack) -> Survey:
    """Read a stack once, plane by plane, and return what its planes hold."""
    surveyor = Surveyor()
    for plane in stack:
        surveyor.add(look(plane, len(stack)))
    return surveyor.found()
