"""The paper's own test: straight lines, planes independent of each other."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.significance import t_p_value

Array = npt.NDArray[np.float64]

_LEAST: Final = 5  # planes in all: four coefficients leave nothing below
_ROUNDING: Final = 1e-12  # of the values: residuals below are nothing but rounding


def interaction(depth_um: Array, first: Array, second: Array) -> tuple[float, float]:
    """Return p and Cohen's f2 of the interaction of depth and protocol.

    NaN for too few planes, or planes exactly on two lines.

    Parameters
    ----------
    depth_um, first, second : ndarray of shape (n,)
        Planes of both stacks at the same depths.
    """
    n = len(depth_um)
    if 2 * n < _LEAST or not np.ptp(depth_um):
        return float("nan"), float("nan")
    depth = np.tile((depth_um - depth_um.mean()) / depth_um.std(), 2)
    protocol = np.repeat([1.0, 0.0], n)
    design = np.column_stack([np.ones(2 * n), depth, protocol, depth * protocol])
    value = np.concatenate([first, second])
    coefficients = np.linalg.lstsq(design, value, rcond=None)[0]
    left = float(np.sum((value - design @ coefficients) ** 2))
    if np.sqrt(left) <= _ROUNDING * np.linalg.norm(value):
        return float("nan"), float("nan")
    free = 2 * n - design.shape[1]
    error = np.sqrt(left / free * np.linalg.inv(design.T @ design)[3, 3])
    t = float(coefficients[3] / error)
    return t_p_value(t, 1.0, free), t**2 / free
