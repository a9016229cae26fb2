"""A first look at a whole stack: its range, and which planes hold no signal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.estimation.normalise import PERCENTILES
from cop_core.stacks.model import Plane, Stack

NO_SIGNAL: Final = "no signal above the background"
SIGNIFICANCE: Final = 4.0
"""Standard errors by which block means must spread more than white noise would make them."""
STRUCTURE_SHARE: Final = 0.02
"""A noisy plane with less structure than this share of the median plane's holds stray light."""
_BLOCK = 8
_SAMPLE = 1 << 21


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
    """Sees the planes of a stack one by one, with flat memory.

    Parameters
    ----------
    shape : tuple of int
        Planes, height and width of the stack.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._stride = max(1, math.ceil(math.sqrt(math.prod(shape) / _SAMPLE)))
        self._samples: list[npt.NDArray[Any]] = []
        self._structures: dict[int, Structure] = {}

    def add(self, plane: Plane) -> None:
        """Take a plane's structure and a sample of its pixels, if it is valid."""
        if plane.validity.ok:
            # Offsets wander, so that a stride that divides the width still sees every column.
            start = plane.index % self._stride
            sample = plane.data[start :: self._stride, start :: self._stride]
            self._samples.append(sample.ravel())
            self._structures[plane.index] = structure(plane)

    def found(self) -> Survey:
        """Return what the planes seen so far hold."""
        if not self._samples:
            return NOTHING_SEEN
        low, high = np.percentile(np.concatenate(self._samples), PERCENTILES)
        present = [s.sd for s in self._structures.values() if s.significant]
        least = STRUCTURE_SHARE * float(np.median(present)) if present else 0.0
        empty = {
            index
            for index, s in self._structures.items()
            if not s.significant or (s.sd < least and s.sd < s.pixel_sd / 2)
        }
        return Survey((float(low), float(high)), frozenset(empty))


def survey(stack: Stack) -> Survey:
    """Read a stack once, plane by plane, and return what its planes hold."""
    surveyor = Surveyor(stack.shape)
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
