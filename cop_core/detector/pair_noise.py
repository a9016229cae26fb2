"""Noise of every pixel from pairs of successive frames, without changes of the whole image.

Static structure cancels in the difference of two frames. The parts of the difference that follow
the image (bleaching, a flickering laser), its gradients and its curvatures (motion) are subtracted
in bands of rows. Two halves of the movie give every pixel twice: one half sorts pixels, the other
measures them, so no noise is used twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from cop_core.detector.alignment import at_rest, find_shifts, inside

if TYPE_CHECKING:
    from cop_core.detector.movie import Movie

Array = npt.NDArray[np.float64]

_BAND_ROWS: Final = 32
_LONGEST_RUN: Final = 10
"""Number of successive frames in a block of one half."""
_CHECKED_RUN: Final = 3
"""Number of successive frames needed to show whether their noise is independent."""
_SMOOTH_PIXELS: Final = 1.0
_MOST_LEVERAGE: Final = 0.5
_DERIVATIVES: Final = ((0, 1), (1, 0), (0, 2), (1, 1), (2, 0))


class Dependence(NamedTuple):
    """A correlation and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Half:
    """Measurements of every pixel in one half of a movie; NaN where there are none.

    Attributes
    ----------
    mean : ndarray of shape (height, width)
        In counts.
    variance : ndarray of shape (height, width)
        In counts squared.
    along, across : ndarray of shape (height, width)
        Covariance of a pixel's noise with that of the next one along the line, and across lines.
    at_floor, at_ceiling : ndarray of shape (height, width)
        Share of values that are cut off.
    successive : Dependence
        As in `PairNoise`; NaN where no more than two frames follow one another.
    """

    mean: Array
    variance: Array
    along: Array
    across: Array
    at_floor: Array
    at_ceiling: Array
    successive: Dependence


@dataclass(frozen=True)
class PairNoise:
    """Both halves, and the motion of the image.

    Attributes
    ----------
    successive : Dependence
        Of a difference of frames with the next, in the half where it is larger; -0.5
        if the noise of frames is independent. If no half has three successive frames, that of the
        first or the last three frames of the movie.
    moved_pixels : float
        Largest shift of a frame against the median one.
    """

    first: Half
    second: Half
    successive: Dependence
    moved_pixels: float


def pair_noise(movie: Movie, *, structured: bool = True) -> PairNoise:
    """Return the noise of every pixel of a movie.

    Parameters
    ----------
    movie : Movie
        Of a static sample; it may move by a few pixels.
    structured : bool
        Whether there is an image that can move and bleach; not in dark frames.
    """
    counts = movie.counts
    shifts = find_shifts(counts) if structured else np.zeros((len(counts), 2), np.int64)
    rows, columns = inside(counts.shape, shifts)
    frames = [at_rest(f, s)[rows, columns] for f, s in zip(counts, shifts, strict=True)]
    runs = _halves(len(frames))
    first, second = (_mean(frames, each) for each in runs)
    # the basis for one half comes from the other: otherwise its own noise would be fitted away
    bases = (_basis(other, structured=structured) for other in (second, first))
    one, other = (_half(movie, frames, *each) for each in zip(runs, bases, strict=True))
    successive = max(one.successive, other.successive)
    if len(runs[0][0]) < _CHECKED_RUN:
        successive = max(_at_an_end(frames, end, structured=structured) for end in (1, -1))
    return PairNoise(one, other, successive, moved_pixels=float(np.hypot(*shifts.T).max()))


def _halves(n: int) -> tuple[list[range], list[range]]:
    """Return runs of successive frames, every other one to each half."""
    length = max(2, min(_LONGEST_RUN, n // 4))
    runs = [range(start, min(start + length, n)) for start in range(0, n - 1, length)]
    return runs[::2], runs[1::2]


def _basis(mean: Array, *, structured: bool) -> list[tuple[slice, Array]]:
    """Return, for every band of rows, an orthonormal basis of changes of the whole band."""
    images = [np.ones_like(mean)]
    if structured:
        images += [mean]
        images += [gaussian_filter(mean, _SMOOTH_PIXELS, order=order) for order in _DERIVATIVES]
    n_bands = max(1, len(mean) // _BAND_ROWS)
    found = []
    for rows in np.array_split(np.arange(len(mean)), n_bands):
        band = slice(int(rows[0]), int(rows[-1]) + 1)
        columns = np.stack([image[band].ravel() for image in images], axis=1)
        scale = np.linalg.norm(columns, axis=0)
        u, singular, _ = np.linalg.svd(columns / np.where(scale > 0, scale, 1), full_matrices=False)
        found.append((band, u[:, singular > 1e-6 * singular[0]]))
    return found


def _half(
    movie: Movie, frames: list[Array], runs: list[range], basis: list[tuple[slice, Array]]
) -> Half:
    left = np.concatenate([1 - (q**2).sum(axis=1) for _, q in basis]).reshape(frames[0].shape)
    left[left < 1 - _MOST_LEVERAGE] = np.nan
    products = [_products([*_differences(frames, run, basis)]) / (2 * left) for run in runs]
    n = sum(len(run) - 1 for run in runs)
    variance, along, across, successive = np.sum(products, axis=0) / n
    return Half(
        mean=_mean(frames, runs),
        variance=variance,
        along=along,
        across=across,
        at_floor=_share(frames, runs, movie.floor),
        at_ceiling=_share(frames, runs, movie.ceiling),
        successive=_correlation(successive, variance, n / max(1, n - len(runs))),
    )


def _products(noises: list[Array]) -> Array:
    """Return sums of squares and of products with the next pixel, line and difference."""
    noise = np.stack(noises)
    sums = np.zeros((4, *noise.shape[1:]))
    sums[0] = (noise**2).sum(axis=0)
    sums[1, :, :-1] = (noise[:, :, :-1] * noise[:, :, 1:]).sum(axis=0)
    sums[2, :-1] = (noise[:, :-1] * noise[:, 1:]).sum(axis=0)
    sums[3] = (noise[:-1] * noise[1:]).sum(axis=0)
    return sums


def _correlation(successive: Array, variance: Array, per_pair: float) -> Dependence:
    """Return the correlation of successive differences; NaN where there are none."""
    total = float(np.nansum(variance))
    if not total or not np.nansum(successive):
        return Dependence(np.nan, np.nan)
    value = per_pair * float(np.nansum(successive)) / total
    error = float(np.sqrt(np.nansum((per_pair * successive - value * variance) ** 2))) / total
    return Dependence(value, error)


def _at_an_end(frames: list[Array], end: int, *, structured: bool) -> Dependence:
    """Return the correlation of the differences of the first (1) or last (-1) three frames."""
    ordered = frames[::end]
    basis = _basis(np.mean(ordered[_CHECKED_RUN:], axis=0), structured=structured)
    differences = _differences(ordered, range(_CHECKED_RUN), basis)
    squares, _, _, successive = _products([*differences])
    return _correlation(successive, squares, _CHECKED_RUN - 1)


def _differences(
    frames: list[Array], run: range, basis: list[tuple[slice, Array]]
) -> Iterator[Array]:
    """Yield the differences of successive frames, without changes of whole bands."""
    for before, after in pairwise(run):
        difference = frames[after] - frames[before]
        for band, q in basis:
            flat = difference[band].ravel()
            difference[band] -= (q @ (q.T @ flat)).reshape(difference[band].shape)
        yield difference


def _mean(frames: list[Array], runs: list[range]) -> Array:
    return np.asarray(np.mean([frames[i] for run in runs for i in run], axis=0))


def _share(frames: list[Array], runs: list[range], level: float | None) -> Array:
    """Return the share of values at a level."""
    if level is None:
        return np.zeros_like(frames[0])
    return np.asarray(np.mean([frames[i] == level for run in runs for i in run], axis=0))
