"""Weighted sums of planes whose errors are alike in neighbours: a spline and AR(1) errors.

Two stacks of two tissues differ plane by plane by more than their readings err, and neighbours
differ alike; so do the errors of planes that lie very near each other. Pseudo-residuals would
understate both.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from cop_core.statistics import autocorrelation
from cop_core.statistics.contrast import LEAST_PLANES, Contrast

Array = npt.NDArray[np.float64]

_CUBIC: Final = 3
_PLANES_A_TERM: Final = 3
_NO_SPREAD: Final = 1e-12  # of the values: what is left is rounding


def spline_contrast(depth_um: Array, values: Array, weights: Array, *, knots_um: float) -> Contrast:
    """Return a weighted sum of values that are a cubic regression spline plus AR(1) errors.

    Parameters
    ----------
    depth_um, values, weights : ndarray of shape (n,)
        Depth ascending, no two equal.
    knots_um : float
        Distance of the spline's knots: what bends within less is taken for error.
    """
    value = float(weights @ values)
    design = spline_design(depth_um, knots_um)
    n, terms = design.shape
    if n < max(LEAST_PLANES, terms + 2) or not _spread(design, values):
        return Contrast(value)
    gap = autocorrelation.gaps(depth_um)
    rho = correlation(depth_um, values, knots_um=knots_um)
    white = autocorrelation.whiten(np.column_stack([design, values]), rho, gap)
    left = _left(white[:, :-1], white[:, -1])
    variance = float(left @ left) / (n - terms)
    se = float(np.sqrt(variance * autocorrelation.quadratic_form(weights, rho, gap)))
    worth = n * (1 - rho) / (1 + rho)
    dof = autocorrelation.curve_dof(worth, terms - 1) if rho else float(n - terms)
    return Contrast(value, se, dof)


def correlation(depth_um: Array, values: Array, *, knots_um: float) -> float:
    """Return the correlation of the errors of neighbours around a spline.

    That of restricted maximum likelihood, raised against its bias in short stacks
    (`autocorrelation.raised`); 0 where nothing lies off the spline.

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending, no two equal.
    knots_um : float
        Distance of the spline's knots.
    """
    design = spline_design(depth_um, knots_um)
    n, terms = design.shape
    if n < terms + 2 or not _spread(design, values):
        return 0.0
    rho = autocorrelation.estimate_rho(design, values, autocorrelation.gaps(depth_um))
    return autocorrelation.raised(rho, terms - 1, n)


def spline_design(depth_um: Array, knots_um: float) -> Array:
    """Return the basis of a cubic regression spline, shape (n, terms).

    Its knots are fewer where there would be less than 3 planes a term.
    """
    inner = round(np.ptp(depth_um) / knots_um) - 1
    inner = max(0, min(inner, len(depth_um) // _PLANES_A_TERM - _CUBIC - 1))
    degree = min(_CUBIC, max(1, len(depth_um) // _PLANES_A_TERM - 1))
    first, last = float(depth_um[0]), float(depth_um[-1])
    knots = np.r_[[first] * degree, np.linspace(first, last, inner + 2), [last] * degree]
    return np.asarray(BSpline.design_matrix(depth_um, knots, degree).toarray())


def _spread(design: Array, values: Array) -> bool:
    """Return whether values lie off the spline by more than rounding."""
    return bool(np.linalg.norm(_left(design, values)) > _NO_SPREAD * np.linalg.norm(values))


def _left(design: Array, values: Array) -> Array:
    return np.asarray(values - design @ np.linalg.lstsq(design, values, rcond=None)[0])
