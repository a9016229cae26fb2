"""A first look at a whole stack: its range, and which planes hold no signal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.reading.normalisation import PERCENTILES
from cop_core.stacks.model import Plane, Stack

SIGNIFICANCE: Final = 4.0
"""Standard errors by which block means must spread more than white noise would make them."""
STRUCTURE_SHARE: Final = 0.02
"""A noisy plane with less structure than this share of the median plane's holds stray light."""
_BLOCK = 8
_SAMPLE = 1 << 21
"""Most pixels kept of a stack; a sample of every other row and column is taken beyond."""


@dataclass(frozen=True)
class Survey:
    """What a stack's planes hold.

    Attributes
    ----------
    range_counts : tuple of float
        The stack's 0.1 and 99.9 percentiles over valid planes; NaN where there is none.
    empty : frozenset of int
        Planes without signal. Either their structure (SD of means over 8x8 blocks) is no more
        than white noise of the pixels makes, or it is below half of the pixels' SD and below
        2 % of the median plane's: stray light, as before the first cells of a stack.
    """

    range_counts: tuple[float, float]
    empty: frozenset[int]


NOTHING_SEEN: Final = Survey((math.nan, math.nan), frozenset())
"""Of a stack without a valid plane, or one not surveyed yet."""


class Surveyor:
    """Sees the planes of a stack one by one, in any order, with flat memory.

    What it finds does not depend on the order, nor on how many planes are still to come.
    """

    def __init__(self) -> None:
        self._stride = 1
        self._samples: dict[int, npt.NDArray[Any]] = {}
        self._held = 0
        self._structures: dict[int, Structure] = {}

    def add(self, plane: Plane) -> None:
        """Take a plane's structure and a sample of its pixels, if it is valid."""
        if plane.validity.ok:
            # Offsets wander, so that a stride that divides the width still sees every column.
            start = plane.index % self._stride
            sample = plane.data[start :: self._stride, start :: self._stride].copy()
            self._samples[plane.index] = sample
            self._structures[plane.index] = structure(plane)
            self._held += sample.size
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
        return Survey(self.range_counts(), self.empty()) if self._samples else NOTHING_SEEN

    def range_counts(self) -> tuple[float, float]:
        """Return the percentiles over the planes seen so far, at least one."""
        counts = np.concatenate([sample.ravel() for sample in self._samples.values()])
        low, high = np.percentile(counts, PERCENTILES)
        return float(low), float(high)

    def empty(self) -> frozenset[int]:
        """Return those of the planes seen so far that hold no signal."""
        present = [s.sd for s in self._structures.values() if s.significant]
        least = STRUCTURE_SHARE * float(np.median(present)) if present else 0.0
        return frozenset(
            index
            for index, s in self._structures.items()
            if not s.significant or (s.sd < least and s.sd < s.pixel_sd / 2)
        )


def survey(stack: Stack) -> Survey:
    """Read a stack once, plane by plane, and return what its planes hold."""
    surveyor = Surveyor()
    for plane in stack:
        surveyor.add(plane)
    return surveyor.found()


@dataclass(frozen=True)
class Structure:
    """What of a plane's variance lies between 8x8 blocks.

    Attributes
    ----------
    sd : float
        SD of block means in counts, the part that white noise would give taken off.
    pixel_sd : float
        SD of the pixels in counts.
    significant : bool
        Whether block means spread by `SIGNIFICANCE` standard errors more than white noise's.
    """

    sd: float
    pixel_sd: float
    significant: bool


def structure(plane: Plane) -> Structure:
    """Measure a plane's structure; a plane smaller than two blocks a side counts as structured."""
    rows, columns = (side // _BLOCK for side in plane.data.shape)
    pixel_sd = float(plane.data.std(dtype=np.float64))
    if rows < 2 or columns < 2:
        return Structure(pixel_sd, pixel_sd, True)
    data = plane.data[: rows * _BLOCK, : columns * _BLOCK].astype(np.float64)
    blocks = data.reshape(rows, _BLOCK, columns, _BLOCK)
    noise = float(blocks.var(axis=(1, 3), ddof=1).mean()) / _BLOCK**2
    excess = float(blocks.mean(axis=(1, 3)).var(ddof=1)) - noise
    error = noise * math.sqrt(2 / (rows * columns))
    return Structure(math.sqrt(max(0.0, excess)), pixel_sd, excess > SIGNIFICANCE * error)
