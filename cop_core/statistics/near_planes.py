"""Planes so near each other that their errors are alike.

Errors of one tissue imaged again are independent from plane to plane, and pseudo-residuals measure
them. Planes within the depth of field share what it blurs, and a laser's drift is slow against
them: there a spline with correlated errors takes their place, and the bootstraps, which draw
independent errors, take means of neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.autocorrelation import MIN_PLANES
from cop_core.statistics.contrast import Contrast, contrast
from cop_core.statistics.spline_contrast import SplineFit, fit_spline

Array = npt.NDArray[np.float64]

NEAR_UM: Final = 10.0
"""Planes farther apart share neither depth of field nor cells; what d does there is no error."""
KNOTS_UM: Final = 60.0
"""Distance of the knots of the curve that planes have in near planes."""
ALIKE: Final = 0.1
"""Correlation of neighbouring blocks up to which they pass for independent."""
MOST: Final = 16
"""Neighbours in a block at most."""
_LEAST_BLOCKS: Final = 8


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
    def block_planes(self) -> int:
        """How many neighbours to average, so that blocks err independently.

        The least of 1, 2, 4 ... at which neighbouring blocks correlate by 0.1 at most; no more than
        leaves 8 blocks, and 1 where planes are not near.
        """
        size, most = 1, min(MOST, len(self.depth_um) // _LEAST_BLOCKS)
        while self.alike and 2 * size <= most and _of_blocks(self.alike.rho, size) > ALIKE:
            size *= 2
        return size


def _of_blocks(rho: float, size: int) -> float:
    """Return the correlation of neighbouring blocks of AR(1) errors."""
    lags = rho ** np.abs(np.subtract.outer(np.arange(2 * size), np.arange(2 * size)))
    return float(lags[:size, size:].sum() / lags[:size, :size].sum())
