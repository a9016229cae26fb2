"""The power to use next: the least that holds the signal or a noise at a level, up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cop_core.power.attenuation import Attenuation, attenuation
from cop_core.power.bright_signal import BRIGHT_SHARE
from cop_core.power.choices import PowerChoices, require_depths
from cop_core.power.energy import compare_energy
from cop_core.power.held_quantity import SIGNAL, HeldQuantity, hold_component, hold_signal
from cop_core.power.layers import MOST_BREAKS
from cop_core.power.made import made_of, settings_of
from cop_core.power.notes import notes_of
from cop_core.power.recommendation import Recommendation
from cop_core.power.tissue import FOLLOW_UM
from cop_core.stacks import Stack, open_stack
from cop_core.statistics.profile import DepthProfile

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.reading import Estimator, Settings
    from cop_core.statistics.depth_window import Window

Array = npt.NDArray[np.float64]


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
    choices = PowerChoices(
        max_power_mw=max_power_mw,
        surface_power_mw=surface_power_mw,
        hold=hold,
        level=level,
        excitation_order=excitation_order,
        offset_counts=offset_counts,
        depths_um=depths_um,
        max_rise_mw=max_rise_mw,
        frame_time_s=frame_time_s,
        window_um=window_um,
        most_breaks=most_breaks,
        share=share,
        follow_um=follow_um,
    )
    source = source if isinstance(source, (Stack, DepthProfile)) else open_stack(source, **opening)
    depth_um = require_depths(source.depth_um if depths_um is None else depths_um)
    found = attenuation(
        source,
        excitation_order=excitation_order,
        offset_counts=offset_counts,
        window_um=window_um,
        most_breaks=most_breaks,
        share=share,
        progress=progress,
        cancelled=cancelled,
    )
    if isinstance(source, DepthProfile):
        profile = source
    elif hold == SIGNAL:
        profile = None
    elif profile is None:
        profile = _read(source, choices, estimator, settings, progress, cancelled)
    if hold == SIGNAL or profile is None:
        held = hold_signal(found, follow_um)
    else:
        held = hold_component(profile, hold, found, follow_um)
    return replace(
        recommend_at(depth_um, found, held, choices),
        settings=settings_of(vars(choices), profile, source),
        provenance={**({} if profile is None else made_of(profile)), **made_of(source)},
    )


def _read(
    stack: Stack,
    choices: PowerChoices,
    estimator: Estimator | str | Path,
    settings: Settings | None,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> DepthProfile:
    from cop_core import reading

    settings = settings or reading.Settings(offset_counts=choices.offset_counts)
    return reading.profile(
        stack, estimator=estimator, settings=settings, progress=progress, cancelled=cancelled
    )


def recommend_at(
    depth_um: Array, found: Attenuation, held: HeldQuantity, choices: PowerChoices
) -> Recommendation:
    """Recommend the power at depths in um, ascending, that holds a quantity level."""
    level, anchor_um = _level(found, held, choices)
    wanted_mw = held.power_mw(level, depth_um)
    power_mw, capped = choices.limit.cap(wanted_mw)
    log_error = held.fit.t95 * held.se_at(depth_um, anchor_um) / abs(held.exponent)
    factor = np.exp(np.minimum(log_error, 50.0))
    fitted = held.fit.depth_um
    half_step = float(np.median(np.diff(fitted))) / 2
    recommended = Recommendation(
        attenuation=found,
        held=held,
        level=level,
        limit=choices.limit,
        depth_um=depth_um,
        power_mw=power_mw,
        wanted_mw=wanted_mw,
        low_mw=wanted_mw / factor,
        high_mw=wanted_mw * factor,
        capped=capped,
        extrapolated=(depth_um < fitted[0] - half_step) | (depth_um > fitted[-1] + half_step),
        energy=compare_energy(
            depth_um,
            power_mw,
            ~capped,
            max_mw=choices.limit.max_mw,
            acquired_mw=found.signal.power_mw_at(depth_um),
            frame_time_s=choices.frame_time_s,
        ),
    )
    return replace(recommended, notes=notes_of(recommended))


def _level(
    found: Attenuation, held: HeldQuantity, choices: PowerChoices
) -> tuple[float, float | None]:
    """Return the level to hold and the depth in um where a power sets it, if one does."""
    if choices.level is not None:
        return choices.level, None
    if choices.surface_power_mw is not None:
        anchor_um, anchor_mw = 0.0, choices.surface_power_mw
    else:
        anchor_um = float(held.fit.depth_um[0])
        anchor_mw = float(found.signal.power_mw[found.signal.depth_um == anchor_um][0])
    return float(held.at([anchor_um], [anchor_mw])[0]), anchor_um
