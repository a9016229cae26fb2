"""Weighted sums of planes with correlated errors: a spline and AR(1) errors.

Stacks of two tissues differ from plane to plane by more than the reading errors, and neighbouring
planes differ alike; errors of very close planes are alike too. Pseudo-residuals would
underestimate both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics import autocorrelation
from cop_core.statistics.contrast import Contrast

Array = npt.NDArray[np.float64]

_CUBIC: Final = 3
_PLANES_A_TERM: Final = 3
_NO_SPREAD: Final = 1e-12  # of the values: what is left is rounding
_NAN: Final = float("nan")


@dataclass(frozen=True)
class SplineFit:
    """Values as a cubic regression spline plus AR(1) errors.

    Attributes
    ----------
    depth_um, values : ndarray of shape (n,)
    rho : float
        Correlation of the errors of neighbours; 0 where there are none.
    variance, dof : float
        Of the errors; NaN where planes are too few, or nothing lies off the spline.
    """

    depth_um: Array
    values: Array
    rho: float = 0.0
    variance: float = _NAN
    dof: float = _NAN

    def contrast(self, weights: Array) -> Contrast:
        """Return the sum of values times weights of shape (n,), with its error."""
        value = float(weights @ self.values)
        if np.isnan(self.variance):
            return Contrast(value)
        gap = autocorrelation.gaps(self.depth_um)
        form = autocorrelation.quadratic_form(weights, self.rho, gap)
        return Contrast(value, float(np.sqrt(self.variance * form)), self.dof)


def fit_spline(depth_um: Array, values: Array, *, knots_um: float) -> SplineFit:
    """Fit a spline with errors whose correlation is estimated by restricted likelihood.

    The correlation is raised against its bias in short stacks (`autocorrelation.raised`).

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending, no two equal.
    knots_um : float
        Distance of the spline's knots: finer structure counts as error.
    """
    design = spline_design(depth_um, knots_um)
    n, terms = design.shape
    residual = _left(design, values)
    exact = np.linalg.norm(residual) <= _NO_SPREAD * np.linalg.norm(values)
    if n < max(LEAST_PLANES, terms + 2) or exact:
        return SplineFit(depth_um, values)
    gap = autocorrelation.gaps(depth_um)
    rho = autocorrelation.estimate_rho(design, values, gap)
    rho = autocorrelation.raised(rho, terms - 1, n)
    white = autocorrelation.whiten(np.column_stack([design, values]), rho, gap)
    left = _left(white[:, :-1], white[:, -1])
    worth = n * (1 - rho) / (1 + rho)
    dof = autocorrelation.curve_dof(worth, terms - 1) if rho else float(n - terms)
    return SplineFit(depth_um, values, rho, float(left @ left) / (n - terms), dof)


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


def _left(design: Array, values: Array) -> Array:
    return np.asarray(values - design @ np.linalg.lstsq(design, values, rcond=None)[0])
