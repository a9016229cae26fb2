"""Where the power of a depth-gained protocol reaches its limit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SAME = 1e-3  # of the largest power: tables are rounded


def cap_depth_um(depth_um: npt.ArrayLike, power_mw: npt.ArrayLike) -> float:
    """Return the depth from which the power stays at its largest value.

    Parameters
    ----------
    depth_um : array_like of shape (n,)
        Depth in um, in any order.
    power_mw : array_like of shape (n,)
        Power in mW at these depths.

    Returns
    -------
    float
        Depth in um of the shallowest plane at the cap. NaN where there is none: the power is
        constant, still rises at the deepest planes, falls, or is not stated everywhere.
    """
    depth, power = np.asarray(depth_um, np.float64), np.asarray(power_mw, np.float64)
    if len(depth) < 3 or not np.isfinite([depth, power]).all():
        return float("nan")
    order = np.argsort(depth, kind="stable")
    depth, power = depth[order], power[order]
    below = np.flatnonzero(power < power.max() * (1 - _SAME))
    if not len(below) or below[-1] >= len(power) - 2 or power[0] >= power[below[-1] + 1]:
        return float("nan")
    return float(depth[below[-1] + 1])
