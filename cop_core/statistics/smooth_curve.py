"""Noise around a smooth curve over depth, so that a curve does not pass for correlation.

Noise that rises ever faster with depth leaves residuals around a straight line that look like
strongly correlated planes. The correlation is therefore estimated around a polynomial of
degree 3 (one degree for each 8 planes below 24), and of up to 6 (one for each 12 planes) where
each further degree lowers -2 log likelihood by more than ``4 log n``. Restricted likelihood
still reads a strong correlation too low in a short stack, the more the larger
``x = p / (n (1 - rho))`` is, p the terms of the mean. So ``1 - rho`` is divided by
``1 + RAISE rho x^2``, which is rather too much than too little: too low a correlation costs
false positives, too high a one only width. Degrees of freedom are ``n_effective - p - 3``, not
below 1.5.

These were chosen by simulation. How often a stack without any slope is called significant, and
how often intervals cover, for 40 to 326 planes and correlations from 0 to 0.9, is measured by
``benchmarks/calibration.py``.

The correlation around a straight line would do as well there, but reads a curve as a
correlation of 0.99, so that no slope is ever significant. A curve with a sharp bend still
leaves intervals that are too wide rather than too narrow. Independent errors on top of a
correlated process are not part of the model; where they are as large as the process, intervals
are too narrow (``benchmarks/calibration_weights.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy
from numpy.polynomial.legendre import legvander

from cop_core.statistics import autocorrelation
from cop_core.statistics.autocorrelation import curve_dof, raised

Array = npt.NDArray[np.float64]

_DEGREES: Final = (3, 6)  # the usual one and the highest
_PLANES_A_DEGREE: Final = (8, 12)  # in 40 correlated planes, degrees above 3 fit the noise
_PENALTY: Final = 4.0  # in log n, for each further degree
_GRID: Final[Array] = np.concatenate([np.arange(0.0, 0.9, 0.05), np.arange(0.9, 0.996, 0.01)])
_ROUNDING: Final = 1e-12  # of the values: residuals below are nothing but rounding


@dataclass(frozen=True)
class Curve:
    """A smooth mean over depth and the AR(1) process around it.

    Attributes
    ----------
    mean : ndarray of shape (n,)
        The curve at each plane.
    degree : int
        Degree of the polynomial.
    rho : float
        Correlation of neighbouring planes around it; NaN where there are too few to tell.
    variance : float
        Variance of the process.
    r2 : float
        Share of the variance that the curve explains.
    p_curved : float
        p of the terms above the straight line (F test, AR(1) errors); NaN without any.
    """

    mean: Array
    degree: int
    rho: float
    variance: float
    r2: float
    p_curved: float

    @property
    def n_effective(self) -> float:
        """Independent planes that these are worth, ``n (1 - rho) / (1 + rho)``."""
        return len(self.mean) * (1 - self.rho) / (1 + self.rho)

    @property
    def known_rho(self) -> float:
        """`rho`, or 0 where there are too few planes to tell."""
        return 0.0 if np.isnan(self.rho) else self.rho

    @property
    def n_worth(self) -> float:
        """`n_effective`, or the number of planes where there are too few to tell."""
        return len(self.mean) * (1 - self.known_rho) / (1 + self.known_rho)

    @property
    def dof(self) -> float:
        """Degrees of freedom of `variance`."""
        if np.isnan(self.rho):
            return float(len(self.mean) - 1 - self.degree)
        return curve_dof(self.n_effective, self.degree)


def fit_curve(depth_um: Array, values: Array) -> Curve:
    """Fit a smooth mean and the process around it.

    Parameters
    ----------
    depth_um : ndarray of shape (n,)
        Depth in um, ascending, not all equal.
    values : ndarray of shape (n,)
        Two values or more.

    Returns
    -------
    Curve
        A line with independent errors for fewer than `autocorrelation.MIN_PLANES` planes.
    """
    n = len(values)
    if n < autocorrelation.MIN_PLANES:
        return _plain(depth_um, values, min(1, n - 2), float("nan"))
    gap = autocorrelation.gaps(depth_um)
    lowest, highest = _degrees(len(np.unique(depth_um)))
    basis = _basis(depth_um, highest)
    degree = _choose_degree(basis, values, gap, lowest)
    plain = _plain(depth_um, values, degree, 0.0)
    if np.sqrt(plain.variance) <= _ROUNDING * np.linalg.norm(values):
        return plain
    design = basis[:, : degree + 1]
    rho = autocorrelation.estimate_rho(design, values, gap)
    rho = raised(rho, degree, n)
    parts, residual = _parts(design, values[:, None], rho, gap)
    variance = float(residual @ residual) / (n - degree - 1)
    curve = Curve(plain.mean, degree, rho, variance, plain.r2, float("nan"))
    if degree == 1:
        return curve
    f = float(parts[2:] @ parts[2:]) / (degree - 1) / variance
    return Curve(
        *(curve.mean, degree, rho, variance, curve.r2),
        p_curved=float(scipy.stats.f.sf(f, degree - 1, curve.dof)),
    )


def _degrees(n_depths: int) -> tuple[int, int]:
    """Return the usual and the highest degree for a number of depths."""
    usual, highest = (
        min(degree, max(n_depths // planes, 1))
        for degree, planes in zip(_DEGREES, _PLANES_A_DEGREE, strict=True)
    )
    return usual, max(usual, highest)


def _basis(depth_um: Array, degree: int) -> Array:
    low, high = depth_um.min(), depth_um.max()
    return np.asarray(legvander(2 * (depth_um - low) / (high - low) - 1, degree))


def _plain(depth_um: Array, values: Array, degree: int, rho: float) -> Curve:
    """Fit a polynomial by ordinary least squares, errors taken as independent."""
    design = _basis(depth_um, degree)
    mean = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    error, spread = values - mean, values - values.mean()
    variance = float(error @ error) / max(len(values) - degree - 1, 1)
    total = float(spread @ spread)
    r2 = 1 - float(error @ error) / total if total else float("nan")
    return Curve(mean, degree, rho, variance, r2, float("nan"))


def _parts(design: Array, columns: Array, rho: float, gap: Array) -> tuple[Array, Array]:
    """Return what each term of a whitened design adds to a column, and what is left."""
    q, _ = np.linalg.qr(autocorrelation.whiten(design, rho, gap))
    white = autocorrelation.whiten(columns, rho, gap)[:, 0]
    parts = q.T @ white
    return parts, white - q @ parts


def _choose_degree(basis: Array, values: Array, gap: Array, lowest: int) -> int:
    """Return the degree of least ``-2 log likelihood + 4 log(n) degree``."""
    n, highest = len(values), basis.shape[1] - 1
    if highest == lowest:
        return lowest
    columns = np.column_stack([basis, values])
    r = np.asarray(_GRID[:, None] ** gap)[:, :, None]
    first = np.broadcast_to(columns[:1], (len(_GRID), 1, columns.shape[1]))
    white = np.concatenate([first, (columns[1:] - r * columns[:-1]) / np.sqrt(1 - r**2)], axis=1)
    # The last column of R holds what each term adds, then what is left beyond all terms.
    parts = np.asarray(np.linalg.qr(white, mode="r"))[:, :, -1] ** 2
    left = np.cumsum(parts[:, :lowest:-1], axis=1)[:, ::-1]
    tiny = (_ROUNDING * np.linalg.norm(values)) ** 2 + np.finfo(np.float64).tiny
    found = np.log1p(-(r**2)).sum(axis=1) + n * np.log(np.maximum(left, tiny) / n)
    penalty = _PENALTY * np.log(n) * np.arange(lowest, highest + 1)
    return lowest + int(np.argmin(found.min(axis=0) + penalty))
