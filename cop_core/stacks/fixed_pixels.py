"""Hot and dead pixels: pixels that stand out from their neighbours in every plane of a stack."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cop_core.stacks.border import Border
from cop_core.stacks.model import Plane
from cop_core.stacks.structure import about_mean

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FEWEST_PLANES: Final = 5
"""Fewest planes that separate the detector from chance and structure."""
MOST_SHARE: Final = 0.01
"""Maximum share of masked pixels: with more, they are not exceptions."""

MOSTLY: Final = 0.9
"""Share of the planes in which a hot or dead pixel deviates from its neighbours."""

_APART: Final = 3.0
"""Minimum deviation, in SDs of the plane's noise."""
_SAMPLE: Final = 1 << 14
"""Number of pixels from which the noise of a plane is measured."""
_SMALLEST: Final = 5

_SIGMAS: Final = 10.0
"""Minimum deviation in SDs of the noise in their darkest or brightest plane."""
_SHARED: Final = 0.15
"""Maximum share of the difference that their neighbours have too, as in a blurred spot."""
_LEVELS: Final = 32
"""Number of brightness ranges in which noise is measured separately."""

_NEAR: Final = np.array([(y, x) for y in range(-2, 3) for x in range(-2, 3) if y or x])
_RING: Final = _NEAR[np.abs(_NEAR).max(axis=1) == 2]
_FOOTPRINT: Final = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)


class FixedPixels:
    """Search over the valid planes of a stack, in any order, in the memory of four planes.

    The result depends neither on the order nor on the time of the request.
    """

    def __init__(self) -> None:
        self._n = 0
        self._border = Border()
        self._darkest = self._brightest = np.empty((0, 0))
        self._n_above = self._n_below = np.empty((0, 0), np.uint32)

    def add(self, plane: Plane, far: tuple[Mask, Mask] | None = None) -> None:
        """Add a valid plane, with the result of `far_pixels` for its image if known."""
        data, border = plane.data, plane.validity.border
        if not self._n:
            self._darkest, self._brightest = data.copy(), data.copy()
            self._n_above, self._n_below = np.zeros((2, *data.shape), np.uint32)
        self._n += 1
        self._border = Border(*map(max, self._border, border))
        np.minimum(self._darkest, data, out=self._darkest)
        np.maximum(self._brightest, data, out=self._brightest)
        inside = border.inside(data.shape)
        above, below = far or far_pixels(data[inside])
        self._n_above[inside] += above
        self._n_below[inside] += below

    def join(self, other: FixedPixels) -> None:
        """Add the findings of another search over other planes of the same stack."""
        if not self._n:
            self._darkest, self._brightest = other._darkest, other._brightest
            self._n_above, self._n_below = other._n_above, other._n_below
        else:
            self._darkest = np.minimum(self._darkest, other._darkest)
            self._brightest = np.maximum(self._brightest, other._brightest)
            self._n_above = self._n_above + other._n_above
            self._n_below = self._n_below + other._n_below
        self._n += other._n
        self._border = Border(*map(max, self._border, other._border))

    def found(self) -> frozenset[int]:
        """Return the hot and the dead pixels, as indices into the flattened plane.

        None are found in fewer than `FEWEST_PLANES` planes, nor outside the area that is image in
        all.
        """
        inside = self._border.inside(self._darkest.shape)
        darkest, brightest = (
            each[inside].astype(np.float64) for each in (self._darkest, self._brightest)
        )
        if self._n < FEWEST_PLANES or min(darkest.shape) < _SMALLEST:
            return frozenset()
        hot = self._exceptions(darkest, brightest, self._n_above[inside])
        dead = self._exceptions(-brightest, -darkest, self._n_below[inside])
        rows, columns = np.nonzero(hot | dead)
        if len(rows) > MOST_SHARE * hot.size:
            return frozenset()
        places = (rows + self._border.top) * self._darkest.shape[1] + columns + self._border.left
        return frozenset(places.tolist())

    def _exceptions(self, least: Floats, most: Floats, n_far: npt.NDArray[np.uint32]) -> Mask:
        """Return which pixels are exceptions, from their extremes and how often they deviate."""
        far = _stand_out(least, n_far >= MOSTLY * self._n, _SIGMAS)
        return far | _stand_out(least, _beyond_all(least, most), 0.0)


def far_pixels(image: Pixels) -> tuple[Mask, Mask]:
    """Return which pixels of an image are far above, and far below, those two pixels away.

    At most one of the four pixels at a distance of two belongs to the same small cluster.
    """
    if min(image.shape) < _SMALLEST:
        none = np.zeros(image.shape, bool)
        return none, none
    from cop_core.compiled import mirrored  # imports numba
    from cop_core.stacks.pixel_kernels import far_from_around

    data = about_mean(image)
    wide = mirrored(data, 2)
    step = max(1, math.isqrt(data.size // _SAMPLE))
    _, low, high, _ = _in_order(*(part[::step, ::step] for part in _two_away(wide)))
    least = _APART * _robust_sd(data[::step, ::step] - (low + high) / 2)
    above, below = far_from_around(wide, np.float32(least))
    return above, below


def _beyond_all(least: Floats, most: Floats) -> Mask:
    """Return which pixels were always beyond the extremes of all but one of their 24 neighbours.

    For white noise in five planes this is true of one pixel in a billion.
    """
    _, _, third, _ = _in_order(*_two_away(np.pad(most, 2, mode="reflect")))
    found: Mask = least > third
    rows, columns = np.nonzero(found)
    around = np.sort(_neighbours(most, rows, columns, _NEAR), axis=1)
    found[rows, columns] = least[rows, columns] > around[:, -2]
    return found


def _two_away(wide: Pixels) -> tuple[Pixels, Pixels, Pixels, Pixels]:
    """Return the pixels two above, below, left and right of each, from an array padded by two."""
    return wide[:-4, 2:-2], wide[4:, 2:-2], wide[2:-2, :-4], wide[2:-2, 4:]


def _in_order(*four: Pixels) -> tuple[Pixels, Pixels, Pixels, Pixels]:
    """Return four pixels at each place in ascending order."""
    a, b, c, d = four
    lows, highs = (np.minimum(a, b), np.minimum(c, d)), (np.maximum(a, b), np.maximum(c, d))
    inner = np.maximum(*lows), np.minimum(*highs)
    return np.minimum(*lows), np.minimum(*inner), np.maximum(*inner), np.maximum(*highs)


def _stand_out(data: Floats, candidates: Mask, sigmas: float) -> Mask:
    """Return which pixels are brighter than their neighbours by more than noise or blur."""
    if not candidates.any():
        return candidates
    around = ndimage.median_filter(data, footprint=_FOOTPRINT, mode="mirror")
    excess = data - around
    found: Mask = candidates & (excess > sigmas * _noise(excess, around))
    rows, columns = np.nonzero(found)
    ring = np.median(_neighbours(data, rows, columns, _RING), axis=1)
    shared = around[rows, columns] - ring
    found[rows, columns] = shared < _SHARED * (data[rows, columns] - ring)
    return found


def _noise(excess: Floats, level: Floats) -> Floats:
    """Return the SD of the noise at every pixel, from pixels of similar brightness."""
    order = np.argsort(level, axis=None, kind="stable")
    noise = np.empty(excess.size)
    for same in np.array_split(order, _LEVELS):
        noise[same] = _robust_sd(excess.ravel()[same])
    return noise.reshape(excess.shape)


def _robust_sd(excess: npt.NDArray[Any]) -> float:
    """Return an SD that is robust to one per cent of outliers at each end.

    If most pixels are equal, as with few photons, it is the SD of the others.
    """
    low, high = np.percentile(excess, (1, 99))
    by_quartiles = 1.4826 * float(np.median(np.abs(excess)))
    return max(by_quartiles, float(np.clip(excess, low, high).std()))


def _neighbours(
    data: Pixels, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], offsets: Pixels
) -> Pixels:
    """Return the neighbours of some pixels, shape (pixels, offsets), mirrored at the edges."""
    height, width = data.shape
    y = _mirrored(rows[:, None] + offsets[:, 0], height - 1)
    x = _mirrored(columns[:, None] + offsets[:, 1], width - 1)
    return np.asarray(data[y, x])


def _mirrored(places: npt.NDArray[np.intp], last: int) -> npt.NDArray[np.intp]:
    return np.asarray(last - abs(last - abs(places)))


def fixed_pixels_of(planes: Iterable[Plane]) -> frozenset[int]:
    """Return the hot and dead pixels of some planes, ignoring invalid planes."""
    seen = FixedPixels()
    for plane in planes:
        if plane.validity.ok:
            seen.add(plane)
    return seen.found()


def picture_of(plane: Plane, masked: frozenset[int] = frozenset()) -> Pixels:
    """Return the image of a plane, shape (height, width) without its border.

    Parameters
    ----------
    plane : Plane
        A valid plane.
    masked : frozenset of int
        Pixels, from `FixedPixels.found`, to replace by the median of the unmasked among their 24
        neighbours.
    """
    inside = plane.validity.border.inside(plane.data.shape)
    if not masked:
        return plane.data[inside]
    places = np.array(sorted(masked))
    good = np.full(plane.data.shape, np.nan)
    good[inside] = plane.data[inside]
    good.flat[places] = np.nan
    rows, columns = np.divmod(places, plane.data.shape[1])
    around = _neighbours(good, rows, columns, _NEAR)
    known = np.isfinite(around).any(axis=1)
    mended = plane.data.copy()
    stand_in = np.nanmedian(around[known], axis=1)
    mended.flat[places[known]] = stand_in if mended.dtype.kind == "f" else np.round(stand_in)
    return mended[inside]
