"""Survey of a whole stack before reading: its range, its fixed pixels, planes without signal."""

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
"""Maximum number of pixels kept of a stack; beyond it, the sample is thinned by half."""


@dataclass(frozen=True)
class Survey:
    """Findings of the survey of a stack.

    Attributes
    ----------
    range_counts : tuple of float
        The stack's 0.1 and 99.9 percentiles over the images of valid planes; NaN without any.
    empty : frozenset of int
        Planes without signal. Their structure (SD of means over 8x8 blocks) does not exceed that of
        white noise, or it is below half of the pixels' SD and below 2 % of the median plane's
        structure: stray light, as before the first cells of a stack.
    masked : frozenset of int
        Hot and dead pixels (`FixedPixels.found`).
    least_structure : float
        The 2 % of the median plane's structure, in counts.
    """

    range_counts: tuple[float, float]
    empty: frozenset[int]
    masked: frozenset[int] = frozenset()
    least_structure: float = 0.0

    def basis(
        self, index: int, normalisation: Normalisation, found: Structure | None = None
    ) -> Basis:
        """Return the findings that determine how a plane is read.

        Parameters
        ----------
        index : int
            Of the plane.
        normalisation : str
            How it will be normalised.
        found : Structure, optional
            Structure of a plane that the survey has not seen.
        """
        empty = index in self.empty if found is None else not found.is_signal(self.least_structure)
        return Basis(
            self.range_counts if normalisation == "stack-percentile" else None,
            self.masked,
            empty,
            self.least_structure if empty and self.masked else 0.0,
        )


@dataclass(frozen=True)
class Basis:
    """The findings on which the reading of a plane depends; equal if the reading is.

    Attributes
    ----------
    range_counts : tuple of float or None
        The stack's range, if the normalisation uses it.
    masked : frozenset of int
        Hot and dead pixels.
    empty : bool
        Whether the plane, including these pixels, was found to have no signal.
    least_structure : float
        Structure in counts below which it contains only stray light; 0 if that is decided already.
    """

    range_counts: tuple[float, float] | None
    masked: frozenset[int]
    empty: bool
    least_structure: float

    def finds_signal(self, image: npt.NDArray[Any]) -> bool:
        """Return whether a plane has signal with its fixed pixels, which may hide it, masked."""
        hidden = self.empty and bool(self.masked)
        return structure(image).is_signal(self.least_structure) if hidden else not self.empty


NOTHING_SEEN: Final = Survey((math.nan, math.nan), frozenset())
"""Findings for a stack without a valid plane, or not surveyed yet."""


class PlaneLook(NamedTuple):
    """A plane, and the findings in its pixels if it is valid."""

    plane: Plane
    structure: Structure | None = None
    far: tuple[Mask, Mask] | None = None


def look(plane: Plane, planes: float = math.inf) -> PlaneLook:
    """Examine the pixels of a plane, one of so many; slow, but may run in any thread.

    Fixed pixels, whose search takes several times the memory of a plane, are not sought if there
    are too few planes to find them.
    """
    if not plane.validity.ok:
        return PlaneLook(plane)
    image = picture_of(plane)
    few = planes < FEWEST_PLANES
    return PlaneLook(plane, structure(image), None if few else far_pixels(image))


class Surveyor:
    """Surveys the planes of a stack one by one, in any order, in constant memory.

    The findings depend neither on the order nor on the number of planes still to come.
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
        """Add the structure of a plane and a sample of its pixels, if it is valid."""
        plane, found, far = looked
        if found is None:
            return
        image, border = picture_of(plane), plane.validity.border
        while image[:: self._stride, :: self._stride].size > _SAMPLE:
            self._thin()
        # Offsets wander: even a stride that divides the width then sees every column.
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
        """Add the findings of another surveyor of the same stack, which is not changed."""
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
        """Double the stride, as if it had been double from the start."""
        for index, sample in self._samples.items():
            first = index // self._stride % 2
            self._samples[index] = sample[first::2, first::2].copy()
        self._stride *= 2
        self._held = sum(sample.size for sample in self._samples.values())

    def knows(self, index: int) -> bool:
        """Return whether a plane was seen and is valid."""
        return index in self._structures

    def found(self) -> Survey:
        """Return the findings for the planes seen so far."""
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
        """Return the pixels of a plane's sample that are not masked, as a flat array."""
        sample, (top, left) = self._samples[index], self._corners[index]
        start = index % self._stride
        where = hidden[top + start :: self._stride, left + start :: self._stride]
        shown: npt.NDArray[Any] = sample[~where[: sample.shape[0], : sample.shape[1]]]
        return shown

    def empty(self) -> frozenset[int]:
        """Return the planes without signal among those seen so far."""
        least = self._least_structure()
        return frozenset(i for i, s in self._structures.items() if not s.is_signal(least))

    def _least_structure(self) -> float:
        return least_structure(self._structures.values())


def survey(stack: Stack) -> Survey:
    """Read a stack once, plane by plane, and return the findings."""
    surveyor = Surveyor()
    for plane in stack:
        surveyor.add(look(plane, len(stack)))
    return surveyor.found()
