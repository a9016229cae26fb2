"""Deviations from the law of attenuation: layers of the tissue that are brighter or noisier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_FEWEST: Final = 5  # planes smoothed together: with fewer, power would follow the noise


@dataclass(frozen=True)
class TissueCourse:
    """Slow deviations of a stack from the law that was fitted to it.

    Attributes
    ----------
    over_um : float
        Depth over which they are smoothed.
    depth_um : ndarray of shape (n,)
        Depths measured, ascending.
    log_factor : ndarray of shape (n,)
        Log of the ratio of measurement to law, smoothed.
    errors : ndarray of shape (n, n)
        Effect of an error of one SD in each plane (column) on each smoothed value (row).
    """

    over_um: float
    depth_um: Array
    log_factor: Array
    errors: Array

    def at(self, depth_um: npt.ArrayLike) -> Array:
        """Return the deviation (log) at depths in µm; beyond those measured, the outermost one."""
        depth = np.asarray(depth_um, np.float64)
        return np.asarray(np.interp(depth, self.depth_um, self.log_factor))

    def se_at(self, depth_um: npt.ArrayLike, anchor_um: float | None = None) -> Array:
        """Return its standard error at depths in µm, or that of its change from an anchor."""
        errors = self._errors_at(np.asarray(depth_um, np.float64))
        if anchor_um is not None:
            errors = errors - self._errors_at(np.array([anchor_um]))
        return np.asarray(np.linalg.norm(errors, axis=1))

    def _errors_at(self, depth: Array) -> Array:
        return np.column_stack([np.interp(depth, self.depth_um, row) for row in self.errors.T])


def follow_tissue(depth_um: Array, deviation: Array, over_um: float) -> TissueCourse | None:
    """Smooth deviations by local lines [1]_; None if they are not to be followed.

    Parameters
    ----------
    depth_um, deviation : ndarray of shape (n,)
        Log of the ratio of measurement to law.
    over_um : float
        Width of the window, five planes at least; 0 to follow nothing.

    References
    ----------
    .. [1] W. S. Cleveland, "Robust locally weighted regression and smoothing scatterplots",
       Journal of the American Statistical Association 74:829 (1979); its first pass.
    """
    if not over_um:
        return None
    from statsmodels.nonparametric.smoothers_lowess import lowess

    order, n = np.argsort(depth_um, kind="stable"), len(depth_um)
    depth, values = depth_um[order], deviation[order]
    share = min(max(over_um / float(np.ptp(depth)), _FEWEST / n), 1.0)
    options = {"frac": share, "it": 0, "delta": 0.0, "return_sorted": False}
    weights = np.column_stack([lowess(unit, depth, **options) for unit in np.eye(n)])
    left = values - weights @ values
    dof = n - 2 * np.trace(weights) + float((weights**2).sum())
    sd = float(np.sqrt(left @ left / max(dof, 1.0)))
    return TissueCourse(float(over_um), depth, weights @ values, sd * weights)
