"""A curve over depth smoothed by local lines, with a band for all depths at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.records import Band
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.near_planes import ReadingErrors
from cop_core.statistics.plane_errors import PlaneErrors

Array = npt.NDArray[np.float64]

LEAST_HALF_WIDTH_UM: Final = 70.0
HALF_WIDTH_STEPS: Final = 3.5
_FLOOR: Final = 1e-3  # of the mean variance: no plane is more certain
_RIDGE: Final = 1e-9  # keeps a line through one plane solvable
_LEVEL: Final = 0.95


def half_width_um(depth_um: Array) -> float:
    """Return the half-width of the kernel for planes at these depths, ascending."""
    return max(LEAST_HALF_WIDTH_UM, HALF_WIDTH_STEPS * float(np.median(np.diff(depth_um))))


def wide_enough(depth_um: Array) -> bool:
    """Return whether depths, ascending, span two half-widths and are numerous enough."""
    return len(depth_um) >= LEAST_PLANES and bool(np.ptp(depth_um) >= 2 * half_width_um(depth_um))


def local_lines(depth_um: Array, at_um: Array, half_um: float) -> Array:
    """Return L (m, n): ``L @ y`` is the local linear smooth of y at other depths.

    Parameters
    ----------
    depth_um, at_um : ndarray of shape (n,), (m,)
        Where y is, and where it is wanted.
    half_um : float
        Half-width of the Epanechnikov kernel.
    """
    away = depth_um - at_um[:, None]
    kernel = np.clip(1 - (away / half_um) ** 2, 0, None)
    s0, s1, s2 = (np.sum(kernel * away**k, axis=1)[:, None] for k in range(3))
    s0, s2 = s0 + _RIDGE, s2 + _RIDGE
    return np.asarray(kernel * (s2 - s1 * away) / (s0 * s2 - s1**2))


@dataclass(frozen=True)
class Smoothing:
    """Linear functions of values along depth, with their errors.

    Attributes
    ----------
    rows : ndarray of shape (m, n)
        Of the planes' values, each a point of the smooth or of its bend.
    value, se : ndarray of shape (m,)
        Where the values are those observed.
    errors : PlaneErrors
    largest : ndarray of shape (samples,)
        Largest of ``|error| / its SE`` over all points, in samples of the errors.
    """

    rows: Array
    value: Array
    se: Array
    errors: PlaneErrors
    largest: Array

    @property
    def critical(self) -> float:
        """Multiple of the SE that bounds the errors of all points at once in 95 % of samples."""
        return float(np.quantile(self.largest, _LEVEL))

    def drawn(self, n_samples: int, seed: int) -> Array:
        """Return errors of the points for drawn errors of the planes, (n_samples, m)."""
        return self.errors.drawn(n_samples, np.random.default_rng(seed)) @ self.rows.T


def smoothing(
    depth_um: Array, values: Array, rows: Array, *, n_samples: int, seed: int
) -> Smoothing:
    """Return linear functions of values, with a studentised bootstrap of the largest error."""
    errors = ReadingErrors.of(depth_um, values).planes
    least = _FLOOR * float(errors.variance.mean()) + 1e-20
    errors = replace(errors, variance=np.maximum(errors.variance, least))
    largest = np.abs(studentised(errors, rows, n_samples=n_samples, seed=seed)).max(axis=1)
    return Smoothing(rows, rows @ values, np.sqrt(errors.variance_of(rows)), errors, largest)


def studentised(errors: PlaneErrors, rows: Array, *, n_samples: int, seed: int) -> Array:
    """Return drawn errors of sums of planes over their SE as estimated again, (n_samples, m).

    They are drawn for equal variances, on which the ratio hardly depends: those estimated from few
    planes differ by chance, and a ratio drawn from them is too small in one case of 50.

    Parameters
    ----------
    errors : PlaneErrors
    rows : ndarray of shape (m, n)
        Weights of the planes.
    """
    alike = replace(errors, variance=np.ones(len(errors.variance)))
    drawn = alike.drawn(n_samples, np.random.default_rng(seed))
    variance = np.maximum(alike.estimated_again(drawn), _FLOOR) @ (rows**2).T
    return np.asarray(drawn @ rows.T / np.sqrt(variance * alike.inflation(rows)))


def band(depth_um: Array, values: Array, *, n_samples: int, seed: int) -> Band:
    """Return the smooth of values and its 95 % band for all depths at once.

    The band covers the smooth, not the curve: at a sharp bend it holds the curve in 63 % of
    cases, at the edge of a plateau in 80 %.

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending, no two equal.

    Returns
    -------
    Band
        Without points if the depths span less than two half-widths.
    """
    if not wide_enough(depth_um):
        return Band()
    rows = local_lines(depth_um, depth_um, half_width_um(depth_um))
    found = smoothing(depth_um, values, rows, n_samples=n_samples, seed=seed)
    half = found.critical * found.se
    return Band(depth_um, found.value, found.value - half, found.value + half)
