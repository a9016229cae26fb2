"""Whether two stacks show the same tissue, and their lateral shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.records import TissueMatch, block_side

if TYPE_CHECKING:
    from cop_core.records import DepthProfile
    from cop_core.statistics.pairing import PairedPlanes

Array = npt.NDArray[np.float64]

SAME_TISSUE: Final = 0.3
"""Correlation above which the tissue is the same: .97 if it is, -.05 to .06 if not."""

_LEAST_BLOCKS: Final = 4  # a side
_REACH: Final = 0.25  # of a side: the largest shift that is searched
_FINE: Final = 0.25  # blocks: steps of the shift around the best whole one


def tissue_match(first: DepthProfile, second: DepthProfile, pairs: PairedPlanes) -> TissueMatch:
    """Return how alike two stacks look at equal depths, after correcting a lateral shift.

    The shift, one for all depths, is that of the highest cross-correlation of the planes' block
    means, refined to a quarter of a block.

    Parameters
    ----------
    first, second : DepthProfile
        With block means.
    pairs : PairedPlanes
        Which planes lie at one depth.

    Returns
    -------
    TissueMatch
        NaN where planes carry no block means, differ in shape, or are smaller than 4 blocks.
    """
    a, b = _images(first, pairs.first), _images(second, pairs.second)
    if not len(a) or a.shape != b.shape or min(a.shape[1:]) < _LEAST_BLOCKS:
        return TissueMatch()
    coarse = _whole_shift(a, b)
    steps = np.arange(-1, 1 + _FINE / 2, _FINE)
    tried = [(coarse[0] + y, coarse[1] + x) for y in steps for x in steps]
    # the shift of all planes is found on the mean of some: the others only cost time
    some = slice(None, None, max(1, len(a) // 8))
    best = max(tried, key=lambda shift: _likeness(a[some], b[some], shift))
    side = block_side(_plane_shape(first))
    y_um, x_um = (
        float(blocks * side * size) for blocks, size in zip(best, _pixel_um(first), strict=True)
    )
    return TissueMatch(correlation=_likeness(a, b, best), shift_um=(y_um, x_um))


def _images(profile: DepthProfile, places: npt.NDArray[np.intp]) -> Array:
    """Return the planes' block means, shape (planes, rows, columns); none where they differ."""
    found = [profile.planes[i].block_means for i in places]
    if len({image.shape for image in found}) != 1 or not found[0].size:
        return np.empty((0, 0, 0))
    images = np.array(found)
    middle = np.nanmedian(images, axis=(1, 2), keepdims=True)
    return np.where(np.isfinite(images), images, middle)


def _whole_shift(a: Array, b: Array) -> tuple[int, int]:
    """Return the shift of b against a in whole blocks, from cross-correlation of all planes."""
    window = np.outer(*(np.hanning(n + 2)[1:-1] for n in a.shape[1:]))
    fa, fb = (np.fft.fft2((x - x.mean(axis=(1, 2), keepdims=True)) * window) for x in (a, b))
    # not whitened: phases of blocks finer than the tissue are those of noise, and of the window
    each = np.fft.ifft2(fb * np.conj(fa)).real
    peak = (each / np.maximum(each.std(axis=(1, 2), keepdims=True), 1e-12)).sum(axis=0)
    rows, columns = (np.rint(np.fft.fftfreq(n) * n).astype(int) for n in peak.shape)
    near = np.abs(rows)[:, None] <= _REACH * len(rows), np.abs(columns) <= _REACH * len(columns)
    y, x = np.unravel_index(np.where(near[0] & near[1], peak, -np.inf).argmax(), peak.shape)
    return int(rows[y]), int(columns[x])


def _likeness(a: Array, b: Array, shift: tuple[float, float]) -> float:
    """Return the median over planes of the correlation of a with b, b moved back by a shift."""
    moved = scipy.ndimage.shift(b, (0, -shift[0], -shift[1]), order=1, mode="nearest")
    y, x = (int(np.ceil(abs(s))) for s in shift)
    inside = (slice(None), slice(y, a.shape[1] - y or None), slice(x, a.shape[2] - x or None))
    u, v = (p[inside].reshape(len(a), -1) for p in (a, moved))
    u, v = (p - p.mean(axis=1, keepdims=True) for p in (u, v))
    norm = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)
    usable = norm > 0
    if not usable.any():
        return float("nan")
    return float(np.median((u * v).sum(axis=1)[usable] / norm[usable]))


def _pixel_um(profile: DepthProfile) -> tuple[float, float]:
    image = profile.provenance.image if profile.provenance else None
    return (image and image.pixel_size_um) or (float("nan"), float("nan"))


def _plane_shape(profile: DepthProfile) -> tuple[int, int]:
    return profile.provenance.image.plane_shape if profile.provenance else (0, 0)
