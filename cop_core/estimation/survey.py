"""A first look at a whole stack: its range, and which planes hold no signal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.estimation.normalise import PERCENTILES
from cop_core.stacks.model import Plane, Stack

NO_SIGNAL: Final = "no signal above the background"
STRUCTURE_SHARE: Final = 0.01
"""A plane whose structure is below this share of the stack's strongest may be empty."""
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
        Planes without signal: their structure (SD of 8x8 block means, noise taken off) is below
        1 % of that of the stack's strongest plane, and below half of their pixels' SD.
    """

    range_counts: tuple[float, float]
    empty: frozenset[int]


def survey(stack: Stack, seen: Callable[[], None] = lambda: None) -> Survey:
    """Read a stack once, plane by plane, with flat memory.

    Parameters
    ----------
    stack : Stack
        The stack.
    seen : callable, optional
        Called after every plane; may raise to stop.
    """
    stride = max(1, math.ceil(math.sqrt(math.prod(stack.shape) / _SAMPLE)))
    samples: list[npt.NDArray[Any]] = []
    structures: dict[int, tuple[float, float]] = {}
    for plane in stack:
        if plane.validity.ok:
            # Offsets wander, so that a stride that divides the width still sees every column.
            start = plane.index % stride
            samples.append(plane.data[start::stride, start::stride].ravel())
            structures[plane.index] = structure(plane)
        seen()
    if not samples:
        return Survey((math.nan, math.nan), frozenset())
    low, high = np.percentile(np.concatenate(samples), PERCENTILES)
    strongest = max(value for value, _ in structures.values())
    empty = {
        index
        for index, (value, spread) in structures.items()
        if value < STRUCTURE_SHARE * strongest and value < spread / 2
    }
    return Survey((float(low), float(high)), frozenset(empty))


def structure(plane: Plane) -> tuple[float, float]:
    """Return the SD of a plane's structure and of its pixels, in counts.

    Structure is the SD of means over 8x8 blocks; the part that white noise of the pixels' SD
    would give is taken off.
    """
    h, w = (side // _BLOCK * _BLOCK for side in plane.data.shape)
    if not h or not w:
        spread = float(plane.data.std(dtype=np.float64))
        return spread, spread
    data = plane.data[:h, :w].astype(np.float64)
    blocks = data.reshape(h // _BLOCK, _BLOCK, w // _BLOCK, _BLOCK)
    within = float(blocks.var(axis=(1, 3)).mean())
    between = float(blocks.mean(axis=(1, 3)).var())
    return math.sqrt(max(0.0, between - within / _BLOCK**2)), float(data.std())
