"""The power to use next: the least that holds the signal or a noise at a level, up to a limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.power.attenuation import (
    Attenuation,
    attenuation,
    fit_attenuation,
    require_order,
)
from cop_core.power.bright_signal import BRIGHT_SHARE, BrightSignal, plane_means
from cop_core.power.energy import compare_energy
from cop_core.power.held_quantity import (
    FAINTEST,
    SIGNAL,
    STRONGEST,
    Held,
    hold_component,
    hold_signal,
    require_component,
)
from cop_core.power.layers import MOST_BREAKS
from cop_core.power.limit import PowerLimit
from cop_core.power.made import made_of, settings_of
from cop_core.power.recommendation import Recommendation
from cop_core.power.tissue import FOLLOW_UM, require_follow
from cop_core.stacks import Stack, open_stack
from cop_core.statistics.profile import DepthProfile

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.reading import Estimator, Settings
    from cop_core.statistics.depth_window import Window

Array = npt.NDArray[np.float64]

_NOT_ASKED: Final = {
    *("source", "profile", "estimator", "settings", "progress", "cancelled", "opening"),
}
"""Arguments that say where the numbers come from, not what is wanted of them."""


def recommend_power(
    source: Any,
    *,
    max_power_mw: float,
    surface_power_mw: float | None = None,
    hold: str = SIGNAL,
    level: float | None = None,
    excitation_order: int = 3,
    offset_counts: float | None = None,
    profile: DepthProfile | None = None,
    depths_um: npt.ArrayLike | None = None,
    max_rise_mw: float | None = None,
    frame_time_s: float | None = None,
    window_um: Window | None = None,
    most_breaks: int = MOST_BREAKS,
    share: float = BRIGHT_SHARE,
    follow_um: float = FOLLOW_UM,
    estimator: Estimator | str | Path = "default",
    settings: Settings | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    **opening: Any,
) -> Recommendation:
    """Recommend the power at every depth from a stack whose power is known.

    Parameters
    ----------
    source : Stack, path, array or DepthProfile
        What is no stack yet goes through `open_stack` with the further arguments (``power``,
        ``z_step_um`` ...). A profile gives plane means in place of the bright signal.
    max_power_mw : float
        Limit in mW at the sample, which no power exceeds.
    surface_power_mw : float, optional
        Power at depth 0; what it gives there is held. Without it and `level`, what the stack
        shows at its shallowest usable plane is held.
    hold : str
        ``"signal"`` or a noise component: ``"poisson"``, ``"gaussian"``, ``"quantization"``.
    level : float, optional
        Level to hold: counts of bright signal above the offset, or a strength from 0 to 1.
    excitation_order : int
        Photons absorbed at once: 3 or 2.
    offset_counts : float, optional
        The detector's zero level; see `attenuation`.
    profile : DepthProfile, optional
        The stack's profile, where a component is held; read with `estimator` where not given.
    depths_um : array_like of shape (planes,), optional
        Depths of the next stack in um, ascending; those of this stack where not given.
    max_rise_mw : float, optional
        Largest rise of power from one plane to the next, in mW.
    frame_time_s : float, optional
        Time a plane takes, for energies in mJ.
    window_um : (float or None, float or None), optional
        Depths to fit.
    most_breaks : int
        Changes of attenuation length to look for.
    share : float
        Share of a plane that counts as bright structures.
    follow_um : float
        Depth in um over which the course of this tissue around the law is smoothed and followed;
        0 to hold the law alone.
    estimator, settings : optional
        For the profile; see `cop_core.profile`. Settings not given take `offset_counts` over.
    progress, cancelled : callable
        Told of steps done and in all; asked after each.

    Returns
    -------
    Recommendation
        Its `notes` say where the limit bites, what is extrapolated and what was assumed.

    Raises
    ------
    InputError
        If the power of the stack is not stated, options contradict each other or break the
        limit, or attenuation cannot be estimated.
    CancelledError
        Where `cancelled` says so.
    """
    asked = {key: value for key, value in dict(locals()).items() if key not in _NOT_ASKED}
    limit = PowerLimit(max_power_mw, max_rise_mw)
    surface_mw = _require_choices(limit, surface_power_mw, hold, level, frame_time_s)
    order, follow_um = require_order(excitation_order), require_follow(follow_um)
    source = source if isinstance(source, (Stack, DepthProfile)) else open_stack(source, **opening)
    depth_um = _require_depths(source.depth_um if depths_um is None else depths_um)
    made = made_of(source)
    if isinstance(source, DepthProfile):
        profile, offset_counts = source, _offset_of(source, offset_counts)
        found = fit_attenuation(
            plane_means(source), excitation_order=order, offset_counts=offset_counts,
            window_um=window_um, most_breaks=most_breaks,
        )  # fmt: skip
    else:
        found = attenuation(
            source, excitation_order=order, offset_counts=offset_counts, window_um=window_um,
            most_breaks=most_breaks, share=share, progress=progress, cancelled=cancelled,
        )  # fmt: skip
    if hold != SIGNAL and profile is None:
        from cop_core.reading import Settings as Reading
        from cop_core.reading import profile as read

        require_component(hold)
        settings = settings or Reading(offset_counts=offset_counts)
        profile = read(
            source, estimator=estimator, settings=settings, progress=progress, cancelled=cancelled
        )
    held = hold_signal(found, follow_um)
    if hold != SIGNAL and profile is not None:
        held = hold_component(profile, hold, found, follow_um)
        made = {"loaded_with": None, **profile.provenance, **made}
    recommended = _recommend(found, held, limit, depth_um, level, surface_mw, frame_time_s)
    read_with = None if hold == SIGNAL and profile is not source else profile
    return replace(recommended, settings=settings_of(asked, read_with, source), provenance=made)


def _recommend(
    found: Attenuation,
    held: Held,
    limit: PowerLimit,
    depth_um: Array,
    level: float | None,
    surface_mw: float | None,
    frame_time_s: float | None,
) -> Recommendation:
    fitted = held.fit.depth_um
    anchor_um: float | None = None
    if level is None:
        anchor_um = 0.0 if surface_mw is not None else float(fitted[0])
        known = found.signal.depth_um == anchor_um
        anchor_mw = surface_mw or float(found.signal.power_mw[known][0])
        level = float(held.at([anchor_um], [anchor_mw])[0])
    wanted = held.power_mw(level, depth_um)
    spread = np.exp(
        np.minimum(held.fit.t95 * held.se_at(depth_um, anchor_um) / abs(held.exponent), 50.0)
    )
    power_mw, capped = limit.cap(wanted)
    half_step = float(np.median(np.diff(fitted))) / 2
    outside = (depth_um < fitted[0] - half_step) | (depth_um > fitted[-1] + half_step)
    energy = compare_energy(
        depth_um, power_mw, ~capped, max_mw=limit.max_mw,
        acquired_mw=_acquired(found.signal, depth_um), frame_time_s=frame_time_s,
    )  # fmt: skip
    return Recommendation(
        found, held, level, limit, depth_um, power_mw, wanted, wanted / spread, wanted * spread,
        capped, outside, energy,
    )  # fmt: skip


def _require_choices(
    limit: PowerLimit,
    surface_mw: float | None,
    hold: str,
    level: float | None,
    frame_time_s: float | None,
) -> float | None:
    """Refuse choices that contradict each other; return the power at the surface."""
    if surface_mw is not None and level is not None:
        raise InputError(
            "a level and a power at the surface are both given, and each sets the other",
            advice="Give one of them",
        )
    for name, value in (("level", level), ("frame_time_s", frame_time_s)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} must be above 0, not {value!r}", where=name)
    if level is not None and hold != SIGNAL and not FAINTEST <= level <= STRONGEST:
        problem = f"a strength of {level:g} cannot be held"
        raise InputError(problem, where="level", advice="Give a share of 1, from 0.02 to 0.4")
    if surface_mw is None:
        return None
    surface_mw = limit.require(surface_mw)
    if not surface_mw:
        raise InputError("a power of 0 mW at the surface gives no signal to hold")
    return surface_mw


def _require_depths(depths_um: npt.ArrayLike) -> Array:
    """Return depths to recommend for, ascending."""
    depth = np.asarray(depths_um, np.float64)
    if depth.ndim != 1 or not len(depth) or not np.isfinite(depth).all():
        raise InputError("the depths are no row of finite numbers", where="depths_um")
    return np.unique(depth)


def _offset_of(profile: DepthProfile, given_counts: float | None) -> float | None:
    """Return the offset given now, or the one that the profile was read with."""
    return profile.settings.get("offset_counts") if given_counts is None else given_counts


def _acquired(signal: BrightSignal, depth_um: Array) -> Array:
    """Return the power that the stack was taken with at depths in um, NaN where it has none."""
    order = np.argsort(signal.depth_um, kind="stable")
    inside = (depth_um >= signal.depth_um.min()) & (depth_um <= signal.depth_um.max())
    power = np.interp(depth_um, signal.depth_um[order], signal.power_mw[order])
    return np.where(inside, power, np.nan)
