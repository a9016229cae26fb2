"""The distinct values of a plane with their counts: a histogram without bins."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_TOGETHER: Final = 1 << 18
"""Number of pixels counted at a time: intermediate arrays take twice their bytes."""


class Distinct(NamedTuple):
    """Values that occur, ascending, and the number of pixels with each.

    Attributes
    ----------
    values : ndarray of shape (n,)
    counts : ndarray of shape (n,)
    """

    values: Floats
    counts: npt.NDArray[np.intp]

    @property
    def mirrored(self) -> Distinct:
        """The distinct values of the negated pixels."""
        return Distinct(-self.values[::-1], self.counts[::-1])


def is_short(data: Pixels) -> bool:
    """Return whether pixels are integers of at most 16 bits, with few enough values to count."""
    return data.dtype.kind != "f" and data.dtype.itemsize <= 2


def distinct(data: Pixels) -> Distinct:
    """Return the distinct values of finite pixels of any shape."""
    if not (is_short(data) and data.size):
        values, counts = np.unique(data, return_counts=True)
        return Distinct(values.astype(np.float64), counts)
    from cop_core.stacks.pixel_kernels import add_counts  # imports numba

    lowest, highest = int(data.min()), int(data.max())
    counts = np.zeros(highest - lowest + 1, np.intp)
    lines = data.reshape(-1, data.shape[-1])
    rows = max(1, _TOGETHER // lines.shape[1])
    for start in range(0, len(lines), rows):
        add_counts(lines[start : start + rows].ravel().astype(np.int32), lowest, counts)
    present = np.flatnonzero(counts)
    return Distinct((present + lowest).astype(np.float64), counts[present])


def percentiles(data: Pixels, wanted: tuple[float, ...]) -> Floats:
    """Return percentiles of finite pixels, equal to `numpy.percentile` to the last bit."""
    if not is_short(data):
        return np.asarray(np.percentile(data, wanted))
    found, shares = distinct(data), np.asarray(wanted) / 100
    places = shares * (data.size - 1)
    below = np.floor(places)
    last = np.cumsum(found.counts) - 1
    low, high = (
        found.values[np.searchsorted(last, np.minimum(at, data.size - 1))]
        for at in (below, below + 1)
    )
    part, step = places - below, high - low
    return np.where(part < 0.5, low + step * part, high - step * (1 - part))
