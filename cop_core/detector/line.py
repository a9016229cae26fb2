"""The photon transfer line: variance against mean, with intervals from resampled tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from cop_core.detector.pixels import N_BINS, Pixels, Usable
from cop_core.records import TransferPoints

Array = npt.NDArray[np.float64]

N_BOOTSTRAP: Final = 1000
_MISFIT_P: Final = 0.01
"""If bins lie off the line with a smaller p, intervals are widened."""
_ENDS: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Sums:
    """Weighted sums over the pixels of every tile, of shape (tiles, bins); they are additive.

    Attributes
    ----------
    weight, sorter, mean, variance, sorted_mean, sorted_variance : ndarray
        Sums of 1, z, x, v, z x and z v.
    along, across, power : ndarray
        Covariances of neighbours and variance, each as a share of the variance expected.
    count, level, spread : ndarray
        Sums of 1, x and v without weights.
    """

    weight: Array
    sorter: Array
    mean: Array
    variance: Array
    sorted_mean: Array
    sorted_variance: Array
    along: Array
    across: Array
    power: Array
    count: Array
    level: Array
    spread: Array

    def drawn(self, times: Array) -> Sums:
        """Return the sums over tiles, each counted as often as it was drawn, (draws, tiles)."""
        return Sums(*(times @ values for values in vars(self).values()))


def sums_of(usable: Usable) -> Sums:
    """Return the sums of a movie's pixels.

    A pixel's weight is the inverse square of the variance of equally bright pixels, since the
    error of a variance is proportional to it.
    """
    parts = [_sums(pixels, usable.n_tiles) for pixels in usable.pixels]
    return Sums(*(np.add(*pair) for pair in zip(*(vars(p).values() for p in parts), strict=True)))


def _sums(pixels: Pixels, n_tiles: int) -> Sums:
    place = pixels.tile * N_BINS + pixels.bin

    def total(values: Array) -> Array:
        counted = np.bincount(place, values, minlength=n_tiles * N_BINS)
        return np.asarray(counted, np.float64).reshape(n_tiles, N_BINS)

    share = 1 / pixels.expected
    weight, z, x, v = share**2, pixels.sorter, pixels.mean, pixels.variance
    moments = (weight, weight * z, weight * x, weight * v, weight * z * x, weight * z * v)
    shares = (share * pixels.along, share * pixels.across, share * v, np.ones_like(v), x, v)
    return Sums(*map(total, (*moments, *shares)))


@dataclass(frozen=True)
class Line:
    """Variance = slope (mean - crossing), with many bootstrap draws.

    Attributes
    ----------
    slope, at_no_counts : ndarray of shape (1 + draws,)
        Counts squared per count, and the line's variance at a mean of 0: first the estimate.
    """

    slope: Array
    at_no_counts: Array

    @property
    def crossing(self) -> Array:
        """Mean at which the line has no variance."""
        return np.asarray(-self.at_no_counts / self.slope)

    def at(self, mean: npt.ArrayLike) -> Array:
        """Return the line's variance at a mean."""
        return np.asarray(self.at_no_counts + self.slope * np.asarray(mean))

    def widened(self, factor: float) -> Line:
        """Return the line with draws farther from the estimate by a factor."""
        return Line(*(each[0] + factor * (each - each[0]) for each in vars(self).values()))

    def beyond(self, other: Line, times: float) -> Line:
        """Return the line so many times as far from this one as another."""
        return Line(*(a + times * (b - a) for a, b in self._with(other)))

    def or_else(self, other: Line) -> Line:
        """Return the line with every other draw from another one, which may be as true."""
        every_other = np.arange(len(self.slope)) % 2 > 0
        return Line(*(np.where(every_other, b, a) for a, b in self._with(other)))

    def _with(self, other: Line) -> Iterator[tuple[Array, Array]]:
        return zip(vars(self).values(), vars(other).values(), strict=True)


def fit_line(sums: Sequence[Sums]) -> Line:
    """Fit one line to the drawn sums of one or more movies.

    The other half's mean is the instrument: it sorts pixels and shares no noise with their mean
    and variance, so noise in the mean does not flatten the line [1]_.

    References
    ----------
    .. [1] O. Reiersoel, "Confluence analysis by means of instrumental sets of variables", Arkiv
       foer Matematik, Astronomi och Fysik 32A, no. 4 (1945).
    """
    w, z, x, v, zx, zv = (
        sum(getattr(each, name).sum(axis=-1) for each in sums)
        for name in ("weight", "sorter", "mean", "variance", "sorted_mean", "sorted_variance")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (w * zv - z * v) / (w * zx - z * x)
        return Line(slope, (v - slope * x) / w)


def draws_of(n_tiles: int, rng: np.random.Generator) -> Array:
    """Return how often each tile counts: once for the estimate, then as often as it is drawn."""
    drawn = rng.multinomial(n_tiles, np.full(n_tiles, 1 / n_tiles), size=N_BOOTSTRAP)
    return np.vstack([np.ones(n_tiles), drawn]).astype(np.float64)


def misfit(line: Line, sums: Sums) -> float:
    """Return the factor by which bins scatter more around a line than their errors allow; 1 if not.

    Parameters
    ----------
    line : Line
        Of the same draws.
    sums : Sums
        Drawn.
    """
    held = sums.count[0] > 0
    if held.sum() < 4:
        return 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, variance = sums.mean / sums.weight, sums.variance / sums.weight
        off = (variance - line.at(mean.T).T)[:, held]
    error = np.nanstd(off[1:], axis=0, ddof=1)
    n_free = int(held.sum()) - 2
    found = float(((off[0] / np.maximum(error, np.finfo(float).tiny)) ** 2).sum())
    return float(np.sqrt(found / n_free)) if found > chdtri(n_free, _MISFIT_P) else 1.0


def transfer_points(sums: Sums) -> TransferPoints:
    """Return mean and variance of the pixels in every bin, with the error of the variance."""
    held = sums.count[0] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, variance = (
            values[:, held] / sums.count[:, held] for values in (sums.level, sums.spread)
        )
    error = np.nanstd(variance[1:], axis=0, ddof=1)
    return TransferPoints(mean[0], variance[0], error, sums.count[0, held])


def interval(drawn: Array) -> tuple[float, tuple[float, float]]:
    """Return the estimate and its 95 % interval from the draws."""
    low, high = np.nanpercentile(drawn[1:], _ENDS)
    return float(drawn[0]), (float(low), float(high))
