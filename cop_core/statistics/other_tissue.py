"""Contrasts of one stack where another tissue is to be expected: a spline and AR(1) errors.

Two stacks of two tissues differ plane by plane by more than their readings err, and neighbours
differ alike. So each stack has a smooth curve of its own and errors correlated along depth.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from cop_core.statistics import autocorrelation
from cop_core.statistics.contrast import LEAST_PLANES, Contrast

Array = npt.NDArray[np.float64]

KNOTS_UM: Final = 120.0
"""Distance of the spline's knots."""
_CUBIC: Final = 3
_PLANES_A_TERM: Final = 3
_NO_SPREAD: Final = 1e-12  # of the values: what is left is rounding


def tissue_contrast(depth_um: Array, values: Array, weights: Array) -> Contrast:
    """Return a weighted sum of values that are a cubic regression spline plus AR(1) errors.

    The correlation is that of restricted maximum likelihood, raised against its bias in short
    stacks (`autocorrelation.raised`).

    Parameters
    ----------
    depth_um, values, weights : ndarray of shape (n,)
        Depth ascending, no two equal.
    """
    value = float(weights @ values)
    design = spline_design(depth_um)
    n, terms = design.shape
    if n < max(LEAST_PLANES, terms + 2):
        return Contrast(value)
    residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    if np.linalg.norm(residual) <= _NO_SPREAD * np.linalg.norm(values):
        return Contrast(value)
    gap = autocorrelation.gaps(depth_um)
    rho = autocorrelation.estimate_rho(design, values, gap)
    rho = autocorrelation.raised(rho, terms - 1, n)
    white = autocorrelation.whiten(np.column_stack([design, values]), rho, gap)
    left = (
        white[:, -1] - white[:, :-1] @ np.linalg.lstsq(white[:, :-1], white[:, -1], rcond=None)[0]
    )
    variance = float(left @ left) / (n - terms)
    se = float(np.sqrt(variance * autocorrelation.quadratic_form(weights, rho, gap)))
    worth = n * (1 - rho) / (1 + rho)
    return Contrast(value, se, autocorrelation.curve_dof(worth, terms - 1))


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


def spline_design(depth_um: Array) -> Array:
    """Return the basis of a cubic regression spline, shape (n, terms).

    Knots lie about 120 um apart, fewer where there would be less than 3 planes a term.
    """
    inner = round(np.ptp(depth_um) / KNOTS_UM) - 1
    inner = max(0, min(inner, len(depth_um) // _PLANES_A_TERM - _CUBIC - 1))
    degree = min(_CUBIC, max(1, len(depth_um) // _PLANES_A_TERM - 1))
    first, last = float(depth_um[0]), float(depth_um[-1])
    knots = np.r_[[first] * degree, np.linspace(first, last, inner + 2), [last] * degree]
    return np.asarray(BSpline.design_matrix(depth_um, knots, degree).toarray())
