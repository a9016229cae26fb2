"""Compiled loops over the pixels of a plane; importing this imports numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from cop_core.compiled import compiled


@compiled
def far_from_around(p: Any, least: Any) -> Any:
    """Return which pixels are far above and far below the middle of the four two pixels away.

    Parameters
    ----------
    p : ndarray of shape (h + 4, w + 4)
        Pixels padded by two mirrored pixels on every side, float32.
    least : float32
        Minimum deviation; it must also exceed the range of those four without the one nearest in
        value to the pixel.

    Returns
    -------
    ndarray of bool, shape (2, h, w)
    """
    h, w = p.shape[0] - 4, p.shape[1] - 4
    far, two = np.empty((2, h, w), np.bool_), np.float32(2)
    for y in range(h):
        up, here, down = p[y], p[y + 2], p[y + 4]
        above, below = far[0, y], far[1, y]
        for c in range(w):
            low1, high1 = min(up[c + 2], down[c + 2]), max(up[c + 2], down[c + 2])
            low2, high2 = min(here[c], here[c + 4]), max(here[c], here[c + 4])
            inner1, inner2 = max(low1, low2), min(high1, high2)
            low, high = min(inner1, inner2), max(inner1, inner2)
            excess = here[c + 2] - (low + high) / two
            above[c] = excess > max(least, high - min(low1, low2))
            below[c] = -excess > max(least, max(high1, high2) - low)
    return far


@compiled
def block_sums(x: Any, side: int) -> Any:
    """Return sums and sums of squares over square blocks, and of all pixels.

    Parameters
    ----------
    x : ndarray of shape (h, w)
        Pixels, float32.
    side : int
        Side of a block; remaining rows and columns are only in the sums of all pixels.

    Returns
    -------
    tuple
        Arrays (2, h // side, w // side) and (2,), float64.
    """
    h, w = x.shape
    rows, columns = h // side, w // side
    blocks, total = np.zeros((2, rows, columns)), np.zeros(2)
    lines, squares = np.empty((2, w))
    for start in range(0, h, side):
        lines[:], squares[:] = 0, 0
        for y in range(start, min(start + side, h)):
            line = x[y]
            for c in range(w):
                value = np.float64(line[c])
                lines[c] += value
                squares[c] += value * value
        total[0] += lines.sum()
        total[1] += squares.sum()
        if start + side <= h:
            for i in range(columns):
                of_lines, of_squares = 0.0, 0.0
                for c in range(i * side, (i + 1) * side):
                    of_lines += lines[c]
                    of_squares += squares[c]
                blocks[0, start // side, i], blocks[1, start // side, i] = of_lines, of_squares
    return blocks, total


@compiled
def add_counts(values: Any, lowest: int, counts: Any) -> None:
    """Count values, int32 of shape (n,); those equal to `lowest` are counted first."""
    for value in values:
        counts[value - lowest] += 1
