"""How many neighbours to average, so that their errors are independent of the next ones'.

Errors of one tissue imaged again are independent from plane to plane. Those of two tissues, of a
laser that drifts, or of planes so near that the depth of field blurs them together are not, and
pseudo-residuals then understate them. Second differences over two steps are compared with those
over one: errors alike in neighbours make the wider ones larger than independent errors around the
same smooth do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.contrast import Contrast, contrast
from cop_core.statistics.depth_order import in_blocks
from cop_core.statistics.local_smooth import half_width_um, local_lines, local_variance

Array = npt.NDArray[np.float64]

LEVEL: Final = 0.1
"""Errors are taken to be alike where independent ones would seem so less often than this."""
MOST: Final = 16
"""Neighbours in a block at most."""
NEAR_UM: Final = 10.0
"""Planes farther apart share neither depth of field nor cells; what d does there is no error."""
_LEAST_BLOCKS: Final = 8
_NO_SPREAD: Final = 1e-24  # strengths that are equal, or on a line exactly
_SAMPLES: Final = 400
_SEED: Final = 0


def block_size(planes: Array) -> int:
    """Return how many neighbours to average before an error is worked out.

    Parameters
    ----------
    planes : ndarray of shape (2 or more, n)
        Depth and values, from `by_depth`.

    Returns
    -------
    int
        The least of 1, 2, 4 ... at which errors are not clearly alike in neighbouring blocks; no
        more than leaves 8 blocks, and 1 where planes lie farther apart than 10 um.
    """
    if planes.shape[1] < 2 or np.median(np.diff(planes[0])) > NEAR_UM:
        return 1
    size = 1
    most = min(MOST, planes.shape[1] // _LEAST_BLOCKS)
    while 2 * size <= most and _alike(*in_blocks(planes, size)[:2]):
        size *= 2
    return size


def contrast_in_blocks(
    depth_um: Array, values: Array, weigh: Callable[[Array], Array], size: int
) -> Contrast:
    """Return a weighted sum of values, its error from blocks of neighbours.

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending, no two equal.
    weigh : callable
        Returns the weights for depths.
    size : int
        From `block_size`.
    """
    depth, value = in_blocks(np.array([depth_um, values]), size)
    found = contrast(depth, value, weigh(depth))
    return replace(found, value=float(weigh(depth_um) @ values))


def _alike(depth_um: Array, values: Array) -> bool:
    """Return whether errors of neighbours clearly resemble each other."""
    variance = local_variance(depth_um, values)
    if not variance.sum() > _NO_SPREAD:
        return False
    curve = local_lines(depth_um, depth_um, half_width_um(depth_um)) @ values
    drawn = np.random.default_rng(_SEED).standard_normal((_SAMPLES, len(values)))
    independent = _ratio(curve + drawn * np.sqrt(variance))
    return bool(np.mean(independent >= _ratio(values)) < LEVEL)


def _ratio(values: Array) -> Array:
    """Return mean squares of second differences over two steps by those over one."""
    wide, narrow = (
        (values[..., 2 * k :] + values[..., : -2 * k] - 2 * values[..., k:-k]) for k in (2, 1)
    )
    return np.asarray((wide**2).mean(axis=-1) / (narrow**2).mean(axis=-1))
