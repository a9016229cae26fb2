"""Fill: rows and columns at the edges of a plane added by registration or stitching."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

Pixels = npt.NDArray[Any]

LEAST_SHARE: Final = 0.25
"""Minimum share of a plane's height and width that is image; otherwise the rest is not fill."""

_BEGUN: Final = 0.25
"""Minimum share of fill pixels of an edge with fill: a single pixel is damage."""
_CORNER: Final = 4
"""Minimum number of rows of a filled corner, and the most pixels its edge may leave a line."""
_STRAY: Final = 1e-3
"""Most pixels of that value elsewhere, as a share of the fill: cut-off images have more."""
_STRIP: Final = 8
"""Number of lines next to the fill that are compared with it."""
_SEGMENTS: Final = 16
_ALIVE: Final = 12
"""Number of the strip's 16 segments with other values: fill ends along a straight line."""
_LOG_CHANCE: Final = -20.0
"""Log of the probability that lines of image, with pixels like the strip's, have one value."""


class Border(NamedTuple):
    """Lines of fill at each edge of a plane, in pixels."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def inside(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the slices of the image in a plane of (height, width)."""
        height, width = shape
        return slice(self.top, height - self.bottom), slice(self.left, width - self.right)


WHOLE: Final = Border()


def find_border(data: Pixels) -> Border:
    """Find the rows and columns of fill around the image.

    Fill is non-finite pixels along a good part of an edge, or lines of a single value. The latter
    count only if the image beyond begins along the whole edge at once, and such a line is unlikely
    by chance: a few rows without a photon, or the black around a cell, are image. Triangles in
    corners of a single value lower than any in the image, as rotation leaves them, are fill too.

    Parameters
    ----------
    data : ndarray of shape (height, width)
        Pixels as stored.

    Returns
    -------
    Border
        No fill if less than a quarter of the height or width would be left.
    """
    found, before = _without(~np.isfinite(data)) if data.dtype.kind == "f" else WHOLE, None
    while found != before and _leaves_enough(found, data.shape):
        before = found
        found = _constant(data, _constant(data, found, rows=True), rows=False)
    if found != before:
        return WHOLE
    corners = _without(_corners(data[found.inside(data.shape)]))
    both = Border(*(a + b for a, b in zip(found, corners, strict=True)))
    return both if _leaves_enough(both, data.shape) else found


def _leaves_enough(border: Border, shape: tuple[int, ...]) -> bool:
    left = [side.stop - side.start for side in border.inside(shape)]
    return all(n >= max(LEAST_SHARE * side, 1) for n, side in zip(left, shape, strict=True))


def _corners(data: Pixels) -> npt.NDArray[np.bool_]:
    """Return where triangles in corners are filled with the lowest value, and their blended rim."""
    fill = np.zeros(data.shape, bool)
    if not data.size:
        return fill
    same = data == data.min()
    for step in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        flipped = slice(None, None, step[0]), slice(None, None, step[1])
        if same[flipped][0, 0]:
            fill[flipped] |= _triangle(same[flipped])
    if not fill.any():
        return fill
    fill = binary_dilation(fill)
    is_fill = np.count_nonzero(same & ~fill) <= _STRAY * np.count_nonzero(fill)
    return np.asarray(fill & is_fill)


def _triangle(same: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the triangle of fill in the first corner; empty where its edge is not straight."""
    n_rows, n_columns = same.shape
    filled = np.where(same.all(axis=1), n_columns, same.argmin(axis=1))
    first, last = int(filled.argmin()), n_rows - int(filled[::-1].argmin())  # of its tip
    rows = np.flatnonzero(filled[:first] < n_columns)
    if len(rows) < max(_CORNER, first - _CORNER):
        return np.zeros_like(same)
    line = np.polynomial.Polynomial.fit(rows, filled[rows], 1)
    straight = np.abs(line(rows) - filled[rows]).max() <= _CORNER
    filled[last:] = 0
    return np.asarray((np.arange(n_columns) < filled[:, np.newaxis]) & straight)


def _without(fill: npt.NDArray[np.bool_]) -> Border:
    """Remove, repeatedly, the edge with the largest share of fill."""
    found, left, least = WHOLE, fill, _BEGUN
    while _leaves_enough(found, fill.shape):
        edges = (left[0], left[-1], left[:, 0], left[:, -1])
        shares = [float(edge.mean()) for edge in edges]
        worst = int(np.argmax(shares))
        if shares[worst] <= least:
            break
        found = found._replace(**{found._fields[worst]: found[worst] + 1})
        left, least = fill[found.inside(fill.shape)], 0.0
    return found


def _constant(data: Pixels, border: Border, *, rows: bool) -> Border:
    """Add lines of a single value at both ends of the rows or of the columns."""
    inside = data[border.inside(data.shape)]
    lines = inside if rows else inside.T
    first, last = _fill_before(lines), _fill_before(lines[::-1])
    if rows:
        return border._replace(top=border.top + first, bottom=border.bottom + last)
    return border._replace(left=border.left + first, right=border.right + last)


def _fill_before(lines: Pixels) -> int:
    """Return the number of lines of fill at the start."""
    values = list(_single_values(lines))
    n = len(values)
    if not 0 < n < len(lines):
        return 0
    strip = _between_fill(lines)[n : n + _STRIP]
    parts = np.array_split(strip, min(_SEGMENTS, max(strip.shape[1], 1)), axis=1)
    differ = sum(bool((part != values[-1]).any()) for part in parts)
    if differ < _ALIVE * len(parts) / _SEGMENTS:
        return 0
    same = [np.count_nonzero(strip == value) for value in values]
    chance = sum(strip.shape[1] * math.log((k + 0.5) / (strip.size + 1)) for k in same)
    return n if chance < _LOG_CHANCE else 0


def _between_fill(lines: Pixels) -> Pixels:
    """Return the lines without possible fill at their own ends."""
    first, last = (sum(1 for _ in _single_values(ends)) for ends in (lines.T, lines.T[::-1]))
    return lines[:, first : max(lines.shape[1] - last, first)]


def _single_values(lines: Pixels) -> Iterator[Any]:
    """Yield the values of the first lines, as long as each line has a single value."""
    for line in lines:
        if not (line == line[0]).all():
            return
        yield line[0]
