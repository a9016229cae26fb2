"""Pile-up of pixels at an end of the histogram: a ceiling that clips, a floor that is cut off."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.stacks.distinct import Distinct, distinct

Pixels = npt.NDArray[Any]

MOST_PIXELS: Final = 1 << 20
"""Maximum number of pixels in a histogram; beyond it, every other row and column is used."""

SAME_SHARE: Final = 1e-6
"""Values closer than this relative difference are the same: floats may be scaled or shifted."""

_TIMES: Final = 4
"""Minimum ratio of the pixels in a pile to those at any neighbouring value."""
_NEIGHBOURS: Final = 8
_FEWEST: Final = 16
_BEYOND: Final = (0.0, 1e-5, 1e-4, 1e-3)
"""Maximum shares of pixels beyond the end: single hot or dead pixels."""
_SMALLER: Final = 10
"""Minimum ratio of the pixels in the pile to those beyond it."""


def ceiling_of(data: Pixels) -> float | None:
    """Return the value at which bright pixels pile up; None if there is none.

    Parameters
    ----------
    data : ndarray of shape (height, width)
        Finite pixels.
    """
    return _end_of(_distinct(data))


def floor_of(data: Pixels) -> float | None:
    """Return the value at which dark pixels pile up; None if there is none."""
    found = _end_of(_distinct(data).mirrored)
    return None if found is None else -found


def _distinct(data: Pixels) -> Distinct:
    step = 1
    while data.size > MOST_PIXELS * step**2:
        step *= 2
    return distinct(data[::step, ::step])


def _end_of(found: Distinct) -> float | None:
    """Return the value that stands out from those below it, with few pixels above it."""
    values, until = found.values, np.cumsum(found.counts)
    n = int(until[-1])
    for share in _BEYOND:
        end = float(values[np.searchsorted(until, n - int(share * n))])
        low, high = _span(values, end)
        count = _pixels(until, low, high)
        if count >= max(_FEWEST, _SMALLER * (n - int(until[high - 1]))):
            nearby = _counts_below(values, until, low)
            if len(nearby) == _NEIGHBOURS and count >= _TIMES * max(nearby):
                return end
    return None


def _span(values: npt.NDArray[np.float64], value: float) -> tuple[int, int]:
    """Return the range of values that count as the same."""
    slack = SAME_SHARE * abs(value)
    low = np.searchsorted(values, value - slack, "left")
    return int(low), int(np.searchsorted(values, value + slack, "right"))


def _pixels(until: npt.NDArray[np.intp], start: int, stop: int) -> int:
    """Return the number of pixels in a range of values, from cumulative counts."""
    return int(until[stop - 1]) - (int(until[start - 1]) if start else 0)


def _counts_below(
    values: npt.NDArray[np.float64], until: npt.NDArray[np.intp], stop: int
) -> list[int]:
    """Return the number of pixels at each of the next lower values."""
    found: list[int] = []
    while stop > 0 and len(found) < _NEIGHBOURS:
        start, _ = _span(values, float(values[stop - 1]))
        found.append(_pixels(until, start, stop))
        stop = start
    return found
