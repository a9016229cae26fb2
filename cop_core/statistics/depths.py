"""Which depths count: a window, and where the power reaches its limit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.recipes import Window, window_text
from cop_core.records import OUTSIDE

if TYPE_CHECKING:
    from cop_core.records import DepthProfile

_SAME = 1e-3  # of the largest power: tables are rounded


def within(profile: DepthProfile, window_um: Window) -> DepthProfile:
    """Return a profile whose planes outside a depth window are left out, with a reason.

    Raises
    ------
    InputError
        If the window is empty, no plane lies in it, or depths are not known.
    """
    inside = planes_within(profile.depth_um, window_um, profile.name)
    reason = f"{OUTSIDE} ({window_text(window_um)})"
    planes = tuple(
        plane if here or plane.reason else replace(plane, reason=reason)
        for plane, here in zip(profile.planes, inside, strict=True)
    )
    return replace(profile, planes=planes, window_um=(window_um[0], window_um[1]))


def planes_within(
    depth_um: npt.NDArray[np.float64], window_um: Window, name: str
) -> npt.NDArray[np.bool_]:
    """Return which planes of a stack lie in a depth window, shape (planes,).

    Raises
    ------
    InputError
        As in `within`.
    """
    low, high = limits_um(window_um)
    if not np.isfinite(depth_um).all():
        raise InputError(
            "a depth window needs planes at known depths",
            where=name,
            advice="set the z step in µm",
        )
    inside = (depth_um >= low) & (depth_um <= high)
    if not inside.any():
        raise InputError(
            f"no plane lies {window_text(window_um)}",
            where=name,
            advice=f"the planes extend from {depth_um.min():g} to {depth_um.max():g} µm",
        )
    return np.asarray(inside)


def limits_um(window_um: Window) -> tuple[float, float]:
    """Return the limits of a window, infinite where open; InputError if it is not a window."""
    low, high = window_um
    limits = (-np.inf if low is None else low, np.inf if high is None else high)
    if window_um == (None, None) or not limits[0] < limits[1]:
        raise InputError(
            f"{low} to {high} is not a depth window",
            advice="put the shallower limit first, in µm, and set at least one of them",
        )
    return limits


def cap_depth_um(depth_um: npt.ArrayLike, power_mw: npt.ArrayLike) -> float:
    """Return the depth beyond which the power stays at its maximum.

    Parameters
    ----------
    depth_um : array_like of shape (n,)
        Depth in µm, in any order.
    power_mw : array_like of shape (n,)
        Power in mW at these depths.

    Returns
    -------
    float
        Depth in µm of the shallowest plane at the cap. NaN if there is none: the power is constant,
        still rises at the deepest planes, falls, or is not stated everywhere.
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
