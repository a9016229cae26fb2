"""Planes so near each other that their errors are alike.

Errors of one tissue imaged again are independent from plane to plane, and pseudo-residuals measure
them. Planes within the depth of field share what it blurs, and a laser's drift is slow against
them: there a spline with correlated errors takes their place, and bootstraps draw such errors.
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
"""Planes farther apart share neither depth of field nor cells; what d does there is no error."""
KNOTS_UM: Final = 60.0
"""Distance of the knots of the curve that planes have in near planes."""


def near(depth_um: Array) -> bool:
    """Return whether planes, depth ascending, are near, and enough to see errors that are alike."""
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
        """Find out how errors go together; depth ascending, no two equal."""
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
    """Return what share (n,) of the variance of two stacks of one tissue is error of reading.

    What their planes share is no error: together they err by as much as their difference,
    `apart`, does.
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
