"""Weighted sums of planes along depth, with errors from the deviations from a smooth curve.

A slope or a mean of planes is a sum of values times weights. How well it is known follows from
pseudo-residuals: how far each plane lies from the straight line between its neighbours. No shape
of the curve is assumed, so a bend is not mistaken for noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.records.arrays import UNKNOWN, Interval
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.significance import t_interval, t_p_value

Array = npt.NDArray[np.float64]

_ENDS: Final = 3  # pseudo-residuals whose mean stands for that of the end, which has none
_NEAR: Final = 7  # planes whose mean square stands for the variance of the middle one
_NO_SPREAD: Final = 1e-24  # sum of squares: strengths that are equal, or on a line exactly
_NAN: Final = float("nan")


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of planes; NaN where it, or its error, is not known.

    Attributes
    ----------
    value, se, dof : float
        Estimate, standard error and degrees of freedom of a t distribution.
    """

    value: float = _NAN
    se: float = _NAN
    dof: float = _NAN

    @property
    def known(self) -> bool:
        """Whether an error can be stated."""
        return bool(np.isfinite(self.se))

    @property
    def ci95(self) -> Interval:
        """95 % confidence interval."""
        return t_interval(self.value, self.se, self.dof) if self.known else UNKNOWN

    @property
    def p_value(self) -> float:
        """Two-sided p of the sum being zero."""
        return t_p_value(self.value, self.se, self.dof) if self.known else _NAN


def slope_weights(depth_um: Array) -> Array:
    """Return w with ``sum(w * y)`` the least-squares slope of y, shape (n,).

    Whether or not y lies on a line, it is a weighted mean of the derivative.
    """
    centred = depth_um - depth_um.mean()
    return np.asarray(centred / (centred @ centred))


def mean_weights(depth_um: Array) -> Array:
    """Return w with ``sum(w * y)`` the mean of y, shape (n,)."""
    return np.full(len(depth_um), 1 / len(depth_um))


def pseudo_residuals(depth_um: Array) -> Array:
    """Return D (n, n): ``D @ y`` are the pseudo-residuals of y, of the variance of its errors.

    Row i interpolates y at depth i between its neighbours. The first and the last row are zero.

    References
    ----------
    .. [1] T. Gasser, L. Sroka, C. Jennen-Steinmetz, "Residual variance and residual pattern in
       nonlinear regression", Biometrika 73, 625 (1986).
    """
    rows = np.zeros((len(depth_um), len(depth_um)))
    inner = np.arange(1, len(depth_um) - 1)
    before = (depth_um[2:] - depth_um[1:-1]) / (depth_um[2:] - depth_um[:-2])
    scale = np.sqrt(before**2 + (1 - before) ** 2 + 1)
    rows[inner, inner - 1] = before / scale
    rows[inner, inner] = -1 / scale
    rows[inner, inner + 1] = (1 - before) / scale
    return rows


def mean_of_near(squares: Array) -> Array:
    """Return means of (..., n) over 7 planes each, those beyond the ends as at the ends."""
    others = [(0, 0)] * (squares.ndim - 1)
    ends, starts = [*others, (_NEAR // 2,) * 2], [*others, (1, 0)]
    sums = np.cumsum(np.pad(np.pad(squares, ends, "edge"), starts), axis=-1)
    return np.asarray((sums[..., _NEAR:] - sums[..., :-_NEAR]) / _NEAR)


def welch(first: Contrast, second: Contrast) -> Contrast:
    """Return the difference of two independent contrasts, degrees of freedom after Welch."""
    value = first.value - second.value
    if not (first.known and second.known):
        return Contrast(value)
    variances = np.array([first.se, second.se]) ** 2
    total = float(variances.sum())
    if not total:
        return Contrast(value)
    dof = total**2 / float((variances**2 / [first.dof, second.dof]).sum())
    return Contrast(value, total**0.5, dof)


def contrast(depth_um: Array, values: Array, weights: Array) -> Contrast:
    """Return a weighted sum of values that are a smooth curve plus independent errors.

    The errors may vary in size along depth: ``SE^2 = sum(w^2 e^2)`` with the pseudo-residuals e.
    Degrees of freedom are Satterthwaite's, the mean of 7 neighbouring e^2 in place of variances.

    Parameters
    ----------
    depth_um, values, weights : ndarray of shape (n,)
        Depth ascending, no two equal.

    Returns
    -------
    Contrast
        Without error below `LEAST_PLANES` planes, and where nothing lies off a straight line.
    """
    value = float(weights @ values)
    if len(values) < LEAST_PLANES:
        return Contrast(value)
    rows = pseudo_residuals(depth_um)
    squares = (rows @ values) ** 2
    squares[0], squares[-1] = squares[1 : _ENDS + 1].mean(), squares[-_ENDS - 1 : -1].mean()
    if not squares.sum() > _NO_SPREAD:
        return Contrast(value)
    shares = weights**2
    return Contrast(value, float(np.sqrt(shares @ squares)), _dof(rows, shares, squares))


def _dof(rows: Array, shares: Array, squares: Array) -> float:
    """Return Satterthwaite's degrees of freedom of ``shares @ squares``."""
    counted = shares.copy()
    counted[1 : _ENDS + 1] += shares[0] / _ENDS
    counted[-_ENDS - 1 : -1] += shares[-1] / _ENDS
    counted[[0, -1]] = 0
    form = rows.T @ (counted[:, None] * rows) * mean_of_near(squares)
    return float(max(np.trace(form) ** 2 / np.sum(form * form.T), 1.0))
