"""Pixels that pile up at an end of the histogram: a ceiling that clips, a floor that is cut off."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]

MOST_PIXELS: Final = 1 << 20
"""Pixels of a plane that its histogram is made of; every other row and column is taken beyond."""

SAME_SHARE: Final = 1e-6
"""Values closer than this share of them are one value: floats that were scaled or shifted."""

_TIMES: Final = 4
"""How many times as many pixels as at any value next to it make a pile."""
_NEIGHBOURS: Final = 8
_FEWEST: Final = 16
_BEYOND: Final = (0.0, 1e-5, 1e-4, 1e-3)
"""Shares of the pixels that may lie beyond the end: single ones, hotter or dead."""
_SMALLER: Final = 10
"""How many times as many pixels are in the pile as beyond it, at least."""


def ceiling_of(data: Pixels) -> float | None:
    """Return the value at which bright pixels pile up; None where there is none.

    Parameters
    ----------
    data : ndarray of shape (height, width)
        Finite pixels.
    """
    return _end_of(_sorted(data))


def floor_of(data: Pixels) -> float | None:
    """Return the value at which dark pixels pile up; None where there is none."""
    found = _end_of(-_sorted(data)[::-1])
    return None if found is None else -found


def _sorted(data: Pixels) -> npt.NDArray[np.float64]:
    step = 1
    while data.size > MOST_PIXELS * step**2:
        step *= 2
    exact = np.float32 if data.dtype.itemsize < 4 or data.dtype == np.float32 else np.float64
    return np.sort(data[::step, ::step].astype(exact), axis=None)


def _end_of(values: npt.NDArray[np.float64]) -> float | None:
    """Return the value, at most few others above it, that stands out from those below it."""
    n = len(values)
    for share in _BEYOND:
        beyond = int(share * n)
        end = float(values[n - 1 - beyond])
        low, high = _span(values, end)
        count = high - low
        if count >= max(_FEWEST, _SMALLER * (n - high)):
            nearby = _counts_below(values, low)
            if len(nearby) == _NEIGHBOURS and count >= _TIMES * max(nearby):
                return end
    return None


def _span(values: npt.NDArray[np.float64], value: float) -> tuple[int, int]:
    """Return where values that are the same as a value begin and end."""
    slack = SAME_SHARE * abs(value)
    low = np.searchsorted(values, value - slack, "left")
    return int(low), int(np.searchsorted(values, value + slack, "right"))


def _counts_below(values: npt.NDArray[np.float64], stop: int) -> list[int]:
    """Return how many pixels each of the next lower values has."""
    found: list[int] = []
    while stop > 0 and len(found) < _NEIGHBOURS:
        start, _ = _span(values, float(values[stop - 1]))
        found.append(stop - start)
        stop = start
    return found
