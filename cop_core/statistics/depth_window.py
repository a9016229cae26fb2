"""A part of the depth: planes outside it are left out of every fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError

if TYPE_CHECKING:
    from cop_core.statistics.profile import DepthProfile

OUTSIDE: Final = "outside the depth window"
"""Begins the reason of planes that a window leaves out."""

Window = tuple[float | None, float | None]
"""Shallowest and deepest depth in um, both included; None where open."""


def within(profile: DepthProfile, window_um: Window) -> DepthProfile:
    """Return a profile whose planes outside a window of depth are excluded.

    Parameters
    ----------
    profile : DepthProfile
        The profile; it stays as it is.
    window_um : (float or None, float or None)
        Shallowest and deepest depth in um, both included; None leaves that side open.

    Returns
    -------
    DepthProfile
        The same planes; those outside carry a reason. ``settings["window_um"]`` says the window.

    Raises
    ------
    InputError
        The window is empty, no plane lies in it, or depths are not known.
    """
    low, high = limits_um(window_um)
    depth = profile.depth_um
    if not np.isfinite(depth).all():
        raise InputError(
            "a window of depth needs planes at known depths",
            where=profile.name,
            advice="Give the z step in um",
        )
    inside = (depth >= low) & (depth <= high)
    if not inside.any():
        raise InputError(
            f"no plane lies {window_text(window_um)}",
            where=profile.name,
            advice=f"The planes run from {depth.min():g} to {depth.max():g} um",
        )
    reason = f"{OUTSIDE} ({window_text(window_um)})"
    planes = tuple(
        plane if here or plane.reason else replace(plane, reason=reason)
        for plane, here in zip(profile.planes, inside, strict=True)
    )
    return replace(
        profile, planes=planes, settings={**profile.settings, "window_um": list(window_um)}
    )


def window_text(window_um: Window) -> str:
    """Return a window in words, ``"from 800 to 1300 um"``."""
    low, high = window_um
    if low is None or high is None:
        return f"above {high:g} um" if low is None else f"from {low:g} um"
    return f"from {low:g} to {high:g} um"


def limits_um(window_um: Window) -> tuple[float, float]:
    """Return a window's limits as numbers, infinite where open; InputError where it is none."""
    low, high = window_um
    limits = (-np.inf if low is None else low, np.inf if high is None else high)
    if window_um == (None, None) or not limits[0] < limits[1]:
        raise InputError(
            f"{low} to {high} is no window of depth",
            advice="Give the shallower limit in um first, None for an open side",
        )
    return limits
