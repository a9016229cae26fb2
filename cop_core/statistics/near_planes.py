"""Planes so near each other that their errors are alike.

Errors of one tissue imaged again are independent from plane to plane, and pseudo-residuals measure
them. Planes within the depth of field share what it blurs, and a laser's drift is slow against
them: there a spline with correlated errors takes their place, and the bootstraps, which draw
independent errors, take means of neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.autocorrelation import MIN_PLANES
from cop_core.statistics.contrast import Contrast, contrast
from cop_core.statistics.spline_contrast import correlation, spline_contrast

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


def reading_contrast(depth_um: Array, values: Array, weigh: Callable[[Array], Array]) -> Contrast:
    """Return a weighted sum of values of one tissue, with the error of imaging it again.

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending, no two equal.
    weigh : callable
        Returns the weights for depths.
    """
    weights = weigh(depth_um)
    if near(depth_um):
        return spline_contrast(depth_um, values, weights, knots_um=KNOTS_UM)
    return contrast(depth_um, values, weights)


def block_size(planes: Array) -> int:
    """Return how many neighbours to average, so that blocks err independently.

    Parameters
    ----------
    planes : ndarray of shape (2 or more, n)
        Depth and values, from `by_depth`.

    Returns
    -------
    int
        The least of 1, 2, 4 ... at which neighbouring blocks correlate by 0.1 at most; no more than
        leaves 8 blocks, and 1 where planes are not near.
    """
    depth_um, values = planes[:2]
    if not near(depth_um):
        return 1
    rho = correlation(depth_um, values, knots_um=KNOTS_UM)
    size, most = 1, min(MOST, len(depth_um) // _LEAST_BLOCKS)
    while 2 * size <= most and _of_blocks(rho, size) > ALIKE:
        size *= 2
    return size


def _of_blocks(rho: float, size: int) -> float:
    """Return the correlation of neighbouring blocks of AR(1) errors."""
    lags = rho ** np.abs(np.subtract.outer(np.arange(2 * size), np.arange(2 * size)))
    return float(lags[:size, size:].sum() / lags[:size, :size].sum())
