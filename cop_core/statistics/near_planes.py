"""Planes so close together that their errors are correlated.

If one tissue is imaged again, errors are independent from plane to plane, and pseudo-residuals
measure them. But planes within the depth of field share its blur, and a laser drifts slowly
compared with them: for such planes a spline with correlated errors is used, and bootstraps draw
such errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.autocorrelation import MIN_PLANES
from cop_core.statistics.contrast import Contrast, contrast
from cop_core.statistics.plane_errors import PlaneErrors, local_variance
from cop_core.statistics.spline_contrast import SplineFit, fit_spline

Array = npt.NDArray[np.float64]

NEAR_UM: Final = 10.0
"""Planes farther apart share neither depth of field nor cells; their deviations are not errors."""
KNOTS_UM: Final = 60.0
"""Distance of the knots of the spline through near planes."""


def near(depth_um: Array) -> bool:
    """Return whether planes, depth ascending, are near and enough to show correlated errors."""
    return len(depth_um) >= MIN_PLANES and bool(np.median(np.diff(depth_um)) <= NEAR_UM)


@dataclass(frozen=True)
class ReadingErrors:
    """Values of one tissue along depth, with the errors of imaging it again.

    Attributes
    ----------
    depth_um, values : ndarray of shape (n,)
    alike : SplineFit or None
        Where planes are near; None where their errors are independent.
    """

    depth_um: Array
    values: Array
    alike: SplineFit | None

    @classmethod
    def of(cls, depth_um: Array, values: Array) -> ReadingErrors:
        """Determine how errors are correlated; depth ascending, no two equal."""
        fit = fit_spline(depth_um, values, knots_um=KNOTS_UM) if near(depth_um) else None
        return cls(depth_um, values, fit)

    def contrast(self, weights: Array) -> Contrast:
        """Return the sum of values times weights of shape (n,), with its error."""
        if self.alike:
            return self.alike.contrast(weights)
        return contrast(self.depth_um, self.values, weights)

    @property
    def planes(self) -> PlaneErrors:
        """The errors plane by plane, as bootstraps draw them."""
        variance = local_variance(self.depth_um, self.values)
        if self.alike is None or not self.alike.variance > 0 or not variance.any():
            return PlaneErrors(self.depth_um, variance)
        # pseudo-residuals tell where errors are large, the spline how large
        scale = self.alike.variance / variance.mean()
        return PlaneErrors(self.depth_um, scale * variance, self.alike.rho)


def share_of_error(one: PlaneErrors, other: PlaneErrors, apart: PlaneErrors) -> Array:
    """Return the share (n,) of the variance of two stacks of one tissue that is reading error.

    What their planes share is not error: the errors of both add up to that of their difference,
    `apart`.
    """
    total = one.variance + other.variance
    # may pass 1 by chance: cut off there, it would be too small on average
    return np.divide(apart.variance, total, out=np.ones(len(total)), where=total > 0)


def reading_errors(
    depth_um: Array, first: Array, second: Array, *, same_tissue: bool
) -> tuple[PlaneErrors, PlaneErrors]:
    """Return the errors of the readings of two stacks, planes paired."""
    one, other = (ReadingErrors.of(depth_um, y).planes for y in (first, second))
    if not same_tissue:
        return one, other
    apart = ReadingErrors.of(depth_um, first - second).planes
    share = share_of_error(one, other, apart)
    return one.shared(share, apart.rho), other.shared(share, apart.rho)
