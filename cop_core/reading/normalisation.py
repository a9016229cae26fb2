"""Normalisation of stored counts to [0, 1] for the network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.recipes import Normalisation
from cop_core.stacks.distinct import is_short, percentiles

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

PERCENTILES: Final = (0.1, 99.9)
"""Percentiles mapped to 0 and 1 by the percentile normalisations."""
_LEVELS: Final = 2.0**16


def plane_range(
    data: Pixels,
    normalisation: Normalisation,
    stack_range: tuple[float, float],
    offset_counts: float | None = None,
) -> tuple[float, float]:
    """Return the counts that become 0 and 1.

    Parameters
    ----------
    data : ndarray of shape (h, w)
        A plane in counts.
    normalisation : str
        The paper's ``plane-minmax``, ``plane-percentile`` (0.1 to 99.9) or ``stack-percentile``.
    stack_range : tuple of float
        The stack's percentiles, for the last.
    offset_counts : float, optional
        The detector's zero level, used as the lower end if it is known.
    """
    if normalisation == "stack-percentile":
        low, high = stack_range
    elif normalisation == "plane-percentile":
        low, high = percentiles(data, PERCENTILES).tolist()
    else:
        low, high = float(data.min()), float(data.max())
    if offset_counts is not None:
        low = offset_counts
    return low, high


def normalise(data: Pixels, low: float, high: float) -> Floats:
    """Return the plane scaled so that low is 0 and high is 1, clipped, as float32 (h, w).

    Values are rounded to 16 bits, finer than any detector here: equal counts of any type stay
    equal, instead of differing in the last digit of a float.
    """
    return normaliser(data, low, high)(data)


def normaliser(data: Pixels, low: float, high: float) -> Callable[[Pixels], Floats]:
    """Return a function that normalises a plane, whole or in parts."""
    if not (is_short(data) and data.size):
        return partial(_on_lattice, low=low, high=high)
    lowest, highest = int(data.min()), int(data.max())
    levels = _on_lattice(np.arange(lowest, highest + 1), low, high)
    return lambda part: levels.take(part.astype(np.int32) - lowest)


def _on_lattice(data: Pixels, low: float, high: float) -> Floats:
    scaled = (data.astype(np.float64) - low) / (high - low)
    return np.asarray(np.round(np.clip(scaled, 0, 1) * _LEVELS) / _LEVELS, dtype=np.float32)
