"""Pixels that photon transfer can use, sorted by one half of a movie and measured in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from cop_core.detector.pair_noise import Half, PairNoise

Array = npt.NDArray[np.float64]

N_BINS: Final = 32
MOST_AT_FLOOR: Final = (0.15, 0.05)
"""Shares of values at the floor above which the variance of equally bright pixels is too small.

The second shows how much depends on the first.
"""
MOST_AT_CEILING: Final = 1e-3
_OUTLYING: Final = 4.0
"""Robust SDs by which the variance of a neighbourhood may exceed that of equally bright ones."""
_RARE: Final = 0.1
"""Median variance, as a share of the mean, below which counts are too rare to tell outliers."""
_NEIGHBOURHOOD: Final = 5
_MAD_TO_SD: Final = 1.4826
_TILE: Final = (4, 16)


@dataclass(frozen=True)
class Pixels:
    """Pixels measured in one half of a movie; all arrays have the shape (pixels,).

    Attributes
    ----------
    sorter : ndarray
        Mean in the other half, whose noise is independent.
    bin : ndarray of int
        Which of `N_BINS` equally populated ranges of `sorter` each is in.
    tile : ndarray of int
        Square of the image in which each lies; the bootstrap resamples these.
    expected : ndarray
        Mean variance, in the other half, of the pixels in the same bin; above 0.
    mean, variance, along, across : ndarray
        As in `Half`.
    """

    sorter: Array
    bin: npt.NDArray[np.int64]
    tile: npt.NDArray[np.int64]
    expected: Array
    mean: Array
    variance: Array
    along: Array
    across: Array


@dataclass(frozen=True)
class Usable:
    """The pixels of a movie that can be used, each measured in both halves.

    Attributes
    ----------
    pixels : tuple of Pixels
        Those of the second half sorted by the first, and the other way round.
    n_tiles : int
        Squares of the image.
    outlying, cut_off : float
        Shares of pixels left out: noisier than equally bright ones, and as bright as those with
        values cut off at the floor or the ceiling.
    """

    pixels: tuple[Pixels, Pixels]
    n_tiles: int
    outlying: float
    cut_off: float


def usable_pixels(
    noise: PairNoise, *, structured: bool = True, most_at_floor: float = 1.0
) -> Usable:
    """Choose the pixels of a movie that photon transfer can use.

    Pixels of frames without structure form one bin: sorting them by noise alone would add noise.
    Pixels with a larger share of values at the floor than `most_at_floor` are left out.
    """
    tile, n_tiles = _tiles(noise.first.mean.shape)
    found, outlying, cut_off = [], [], []
    for sorting, measured in ((noise.first, noise.second), (noise.second, noise.first)):
        known = np.isfinite(sorting.variance) & np.isfinite(measured.variance)
        sorter = (
            sorting.mean if structured else np.full_like(sorting.mean, sorting.mean[known].mean())
        )
        bins = _bins(sorter, known)
        outside = known & _outlying(sorting, bins)
        beyond = known & _cut_off(sorting, bins, most_at_floor)
        use = known & ~outside & ~beyond
        outlying.append(outside[known].mean())
        cut_off.append(beyond[known].mean())
        columns = (measured.mean, measured.variance, measured.along, measured.across)
        values = (column[use] for column in columns)
        expected = _expected(sorting.variance[use], bins[use])
        found.append(Pixels(sorter[use], bins[use], tile[use], expected, *values))
    first, second = found
    return Usable((first, second), n_tiles, float(np.mean(outlying)), float(np.mean(cut_off)))


def _tiles(shape: tuple[int, ...]) -> tuple[npt.NDArray[np.int64], int]:
    side = int(np.clip(min(shape) // 16, *_TILE))
    rows, columns = (np.arange(n) // side for n in shape)
    n_columns = int(columns[-1]) + 1
    return rows[:, None] * n_columns + columns, (int(rows[-1]) + 1) * n_columns


def _bins(mean: Array, known: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    inner = np.quantile(mean[known], np.linspace(0, 1, N_BINS + 1)[1:-1])
    return np.searchsorted(inner, mean, side="right")


def _expected(variance: Array, bins: npt.NDArray[np.int64]) -> Array:
    """Return the mean variance of the pixels in the same bin, kept above 0."""
    n = np.bincount(bins, minlength=N_BINS)
    mean = np.bincount(bins, variance, minlength=N_BINS) / np.maximum(n, 1)
    least = 1e-3 * float(np.median(mean[n > 0])) if len(bins) else 0.0
    return np.asarray(np.maximum(mean, max(least, np.finfo(float).tiny))[bins])


def _outlying(half: Half, bins: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Find pixels with surroundings noisier than equally bright ones: firing cells, vessels."""
    around = uniform_filter(np.nan_to_num(half.variance), _NEIGHBOURHOOD)
    beyond = np.zeros(around.shape, bool)
    for number in np.unique(bins):
        own = bins == number
        middle = np.median(around[own])
        spread = _MAD_TO_SD * np.median(np.abs(around[own] - middle))
        if middle > _RARE * around[own].mean():  # otherwise all that have counts would be left out
            beyond[own] = around[own] > middle + _OUTLYING * spread
    return beyond


def _cut_off(
    half: Half, bins: npt.NDArray[np.int64], most_at_floor: float
) -> npt.NDArray[np.bool_]:
    """Find pixels as bright as those that are cut off, and all beyond."""
    numbers = np.unique(bins)
    floor, ceiling = (
        np.array([share[bins == number].mean() for number in numbers])
        for share in (half.at_floor, half.at_ceiling)
    )
    low = numbers[floor > most_at_floor].max(initial=-1)
    high = numbers[ceiling > MOST_AT_CEILING].min(initial=N_BINS)
    return np.asarray((bins <= low) | (bins >= high))
