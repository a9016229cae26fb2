"""The power to use next: the least that holds the signal or a noise at a level, up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError, option
from cop_core.power.attenuation import Attenuation, attenuation, require_stated
from cop_core.power.energy import compare_energy
from cop_core.power.held_quantity import (
    SIGNAL,
    HeldQuantity,
    hold_component,
    hold_signal,
    require_holdable,
    require_profile,
)
from cop_core.power.limit import PowerLimit
from cop_core.power.notes import notes_of
from cop_core.power.recommendation import Recommendation
from cop_core.power.verdict import verdict_of
from cop_core.recipes import MW, PowerOptions, ReadingOptions, RecommendRecipe, StackOptions
from cop_core.records import DepthProfile, Provenance, zero_level
from cop_core.stacks import Stack, as_stack, detector_of
from cop_core.stacks.files import file_state

if TYPE_CHECKING:
    from cop_core.reading import Estimator

Array = npt.NDArray[np.float64]


def recommend_power(
    source: Any,
    options: PowerOptions | None = None,
    *,
    reading: ReadingOptions | None = None,
    profile: DepthProfile | None = None,
    estimator: Estimator | None = None,
    read: Callable[[], DepthProfile] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    **chosen: Any,
) -> Recommendation:
    """Recommend the power at every depth from a stack whose power is known.

    Parameters
    ----------
    source : Stack, path, array or DepthProfile
        A path or an array is opened. With a profile, plane means are used in place of the bright
        signal.
    options : PowerOptions, optional
        Which power is wanted; a limit must be set here or below.
    reading : ReadingOptions, optional
        The zero level of the detector, and how the stack is read if a component is held; by default
        those of `profile`.
    profile : DepthProfile, optional
        Profile of the stack, if a component is held; by default the stack is read.
    estimator : Estimator, optional
        Used in place of the weights in `reading`.
    read : callable, optional
        Reads the stack, after all checks that need no reading; by default it is read with
        `estimator`.
    progress, cancelled : callable
        Called with the number of steps done and the total; called after each step.
    **chosen
        Fields of `PowerOptions`, `ReadingOptions` or, for a path or an array, `StackOptions`
        (``power``, ``z_step_um`` ...), which override those passed above.

    Returns
    -------
    Recommendation
        Its `notes` state where the limit is reached, what is extrapolated and what was assumed.

    Raises
    ------
    InputError
        If the power of the stack is not stated, options contradict each other or break the
        limit, or attenuation cannot be estimated.
    CancelledError
        If `cancelled` returns True.
    """
    asked = _asked(source, options, reading, profile, chosen)
    stack, options = asked.source, asked.options
    depth_um = np.unique(stack.depth_um if options.depths_um is None else options.depths_um)
    if options.depths_um is not None and not len(depth_um):
        raise InputError("no depths are given", where="depths_um")
    if options.hold != SIGNAL and asked.profile is not None:
        require_profile(asked.profile, options.hold)
        estimator = None
    elif options.hold != SIGNAL:
        estimator = estimator or _estimator_for(asked.reading)
    require_recommendable(stack, options, asked.reading, estimator)
    found = attenuation(
        stack,
        excitation_order=options.excitation_order,
        offset_counts=_zero_counts(stack, asked.reading),
        window_um=options.window_um,
        most_breaks=options.most_breaks,
        share=options.share,
        progress=progress,
        cancelled=cancelled,
    )
    if options.hold == SIGNAL:
        held, held_of = hold_signal(found, options.follow_um), None
    else:
        held_of = asked.profile
        if held_of is None:
            held_of = read() if read else _read(asked, estimator, progress, cancelled)
        held = hold_component(held_of, options.hold, found, options.follow_um)
    return _with_origin(recommend_at(depth_um, found, held, options), asked, held_of)


def require_recommendable(
    source: Stack | DepthProfile,
    options: PowerOptions,
    reading: ReadingOptions,
    estimator: Estimator | None,
) -> None:
    """Refuse, before a stack is read, options that cannot work.

    Parameters
    ----------
    source : Stack or DepthProfile
    options : PowerOptions
    reading : ReadingOptions
        How the stack is to be read.
    estimator : Estimator or None
        Reads the stack; None if it is not read.

    Raises
    ------
    InputError
        Power or depth is not stated, the limit is in another unit than the power, or the component
        cannot be held with these weights.
    """
    require_stated(source)
    limit_of(options, source.power_unit, source.name)
    if options.hold != SIGNAL and estimator is not None:
        require_holdable(
            options.hold,
            estimator.components,
            estimator.used,
            reading.normalisation,
            where=source.name,
        )


@dataclass(frozen=True)
class _Asked:
    """The request, completed with all other arguments."""

    source: Stack | DepthProfile
    options: PowerOptions
    reading: ReadingOptions
    profile: DepthProfile | None


def _asked(
    source: Any,
    options: PowerOptions | None,
    reading: ReadingOptions | None,
    profile: DepthProfile | None,
    chosen: dict[str, Any],
) -> _Asked:
    """Return the request; a source that is neither stack nor profile is opened."""
    wanted = {name: chosen.pop(name) for name in PowerOptions.model_fields if name in chosen}
    read_as = {name: chosen.pop(name) for name in ReadingOptions.model_fields if name in chosen}
    options = options.but(**wanted) if options else PowerOptions(**wanted)
    if isinstance(source, DepthProfile):
        profile = source
        if chosen:
            raise InputError(
                "a profile cannot be opened like a stack", where=", ".join(sorted(chosen))
            )
    else:
        source = as_stack(source, **chosen)
    reading = (reading or (profile.reading if profile else ReadingOptions())).but(**read_as)
    return _Asked(source, options, reading, profile)


def _estimator_for(reading: ReadingOptions) -> Estimator:
    from cop_core.reading import estimator_for  # PyTorch comes with it

    return estimator_for(reading)


def _read(
    asked: _Asked,
    estimator: Estimator | None,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> DepthProfile:
    from cop_core.reading import profile  # PyTorch comes with it

    return profile(
        asked.source,
        reading=asked.reading,
        estimator=estimator,
        progress=progress,
        cancelled=cancelled,
    )


def _with_origin(found: Recommendation, asked: _Asked, read: DepthProfile | None) -> Recommendation:
    """Return a recommendation with everything that repeats it: recipe, stack and profile."""
    made = _provenance(asked.source)
    opened = StackOptions() if made is None else made.opened
    known = read or asked.profile
    if known is not None:
        opened = opened.but(left_out=known.left_out)
    from_profile = isinstance(asked.source, DepthProfile)
    recipe = RecommendRecipe(
        stack=opened,
        reading=asked.reading,
        power=asked.options,
        acquisition=None,
        from_profile=from_profile,
    )
    used = asked.source if isinstance(asked.source, DepthProfile) else read
    return replace(found, recipe=recipe, provenance=made, profile=used)


def _zero_counts(source: Stack | DepthProfile, reading: ReadingOptions) -> float | None:
    if isinstance(source, DepthProfile):
        return reading.offset_counts  # else that of the profile
    return zero_level(reading, detector_of(source.options, reading), source.image)


def _provenance(source: Stack | DepthProfile) -> Provenance | None:
    if isinstance(source, DepthProfile):
        return source.provenance
    files = file_state(source.source)
    return Provenance(source.source, source.options, source.image, files=files)


def recommend_at(
    depth_um: Array, found: Attenuation, held: HeldQuantity, options: PowerOptions
) -> Recommendation:
    """Recommend the power at depths in µm, ascending, that holds a quantity constant."""
    level, anchor_um = _level(found, held, options)
    limit = limit_of(options, found.signal.power_unit, found.signal.name)
    wanted = held.power(level, depth_um)
    exact, capped = limit.cap(wanted)
    power, _ = limit.cap(np.where(capped, exact, [float(f"{each:.6g}") for each in exact]))
    log_error = held.fit.t95 * held.se_at(depth_um, anchor_um) / abs(held.exponent)
    factor = np.exp(np.minimum(log_error, 50.0))
    fitted = held.fit.depth_um
    half_step = float(np.median(np.diff(fitted))) / 2
    recommended = Recommendation(
        attenuation=found,
        held=held,
        level=level,
        limit=limit,
        depth_um=depth_um,
        power=power,
        wanted=wanted,
        low=wanted / factor,
        high=wanted * factor,
        capped=capped,
        extrapolated=(depth_um < fitted[0] - half_step) | (depth_um > fitted[-1] + half_step),
        energy=compare_energy(
            depth_um,
            power,
            ~capped,
            max_power=limit.max_power,
            acquired=found.signal.power_at(depth_um),
            frame_time_s=options.frame_time_s,
        ),
    )
    return replace(recommended, notes=notes_of(recommended), verdict=verdict_of(recommended))


def limit_of(options: PowerOptions, unit: str, name: str) -> PowerLimit:
    """Return the requested limit, in the unit in which the stack's power is known.

    Raises
    ------
    InputError
        If it was given in another unit.
    """
    if unit == MW and options.max_power_mw is None:
        raise InputError(
            "its power is in mW, but the limit is in another unit",
            where=name,
            advice=f"set the limit in mW with {option('max_power_mw')}",
        )
    if unit != MW and options.max_power is None:
        raise InputError(
            f"its power is in {unit}, but the limit is in mW",
            where=name,
            advice=f"set the limit in {unit} with {option('max_power')}, or convert its power to "
            f"mW with {option('power_scale')}",
        )
    return PowerLimit(options.limit, options.max_rise, unit)


def _level(
    found: Attenuation, held: HeldQuantity, options: PowerOptions
) -> tuple[float, float | None]:
    """Return the level to hold and, if a power sets it, the depth in µm at which it does."""
    if options.level is not None:
        return options.level, None
    if options.surface_power is not None:
        anchor_um, anchor = 0.0, options.surface_power
    else:
        anchor_um = float(held.fit.depth_um[0])
        shallowest = found.used & (found.signal.depth_um == anchor_um)
        anchor = float(found.signal.power[shallowest][0])
    return float(held.at([anchor_um], [anchor])[0]), anchor_um
