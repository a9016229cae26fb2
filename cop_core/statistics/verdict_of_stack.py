"""The answer on one stack in plain English: how deep it can be used, finished or still growing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import CLEAN, spoken
from cop_core.records import ITS_STACK, SINGLE_PLANE
from cop_core.statistics.bend import too_short
from cop_core.statistics.caveats import cautions, may_be_upwards
from cop_core.statistics.usable_depth import HELD, poisson_curve
from cop_core.statistics.verdict_words import down_to, joined, level_text, named, percent
from cop_core.words import capital, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cop_core.records import AnalysedProfile, DepthLimit
    from cop_core.statistics.forecast import Forecast

_MOST_NAMES: Final = 3
_NEAR_UM: Final = 10
"""Step in µm to which forecast depths are rounded."""


def verdict_of_profile(found: AnalysedProfile) -> str:
    """Return in a few sentences how deep one stack can be used, and which noise is largest."""
    if single := alone(found):
        return single
    depths = "" if upside_down(found) else _depths_of_one(found)
    return joined(cautions_on(found), depths, _larger_than_shot(found))


def _larger_than_shot(found: AnalysedProfile) -> str:
    """Return which noises are on average larger than shot noise, by more than uncertainties."""
    profile = found.profile
    if found.photons is None or not profile.kept.any():
        return ""
    doubt = np.nan_to_num(profile.uncertainty[profile.kept]).mean(axis=0)
    mean = profile.mean[profile.kept].mean(axis=0)
    shot = profile.components.index(HELD)
    above = dict(zip(profile.components, mean - mean[shot] - doubt - doubt[shot], strict=True))
    size = dict(zip(profile.components, mean, strict=True))
    larger = [name for name in above if above[name] > 0 and name not in (HELD, CLEAN)]
    if not larger:
        return ""
    larger.sort(key=lambda name: -size[name])
    names, means = (
        listed([spoken(n) for n in larger]),
        listed([f"{100 * size[n]:.0f}" for n in larger]),
    )
    verb = "is" if len(larger) == 1 else "are"
    return f"{capital(names)} noise {verb} larger than shot noise: {means} % on average."


def _depths_of_one(found: AnalysedProfile) -> str:
    parts = [_signal_of_one(found)]
    if (level := _level_of_one(found)) != "":
        parts.insert(0, level)
    said = [part for part in parts if part]
    if not found.profile.kept.any():
        return f"{named(found.name)}: no plane can be used ({_why_none(found)})."
    if not said:
        return f"{named(found.name)}: no depth can be determined from these planes."
    untold = f"; {text}" if (text := _untold_level(found)) else ""
    return f"{named(found.name)}: {', and '.join(said)}{untold}."


def alone(found: AnalysedProfile) -> str:
    """Return the sentence on a stack of one plane; empty for others."""
    if len(found.profile) != 1:
        return ""
    return f"{named(found.name)}: {SINGLE_PLANE}. {capital(ITS_STACK)}."


def cautions_on(found: AnalysedProfile) -> str:
    """Return the caveats that the answer must not be read without."""
    return cautions_on_all([found])


def cautions_on_all(stacks: Iterable[AnalysedProfile]) -> str:
    """Return the caveats that an answer on many stacks must not be read without, each once."""
    names: dict[str, list[str]] = {}
    for each in stacks:
        for text in cautions(each.profile, each.lines):
            names.setdefault(text, []).append(each.name)
    return joined(
        *(f"Caution: in {_listed_in_part(whose)}, {text}." for text, whose in names.items())
    )


def _listed_in_part(names: list[str]) -> str:
    """Return names as read aloud, the first few of many."""
    n_others = len(names) - _MOST_NAMES
    return listed(names if n_others < 2 else [*names[:_MOST_NAMES], f"{n_others} others"])


def upside_down(found: AnalysedProfile) -> bool:
    """Whether the stack may have been acquired upwards, so that its depths mean nothing yet."""
    return may_be_upwards(found.profile, found.lines)


def verdict_of_growing(found: Forecast) -> str:
    """Return in one sentence the state of a stack that is still being acquired, and what to do."""
    level, signal = found.level, found.signal
    passed = np.isfinite([level.depth_um, level.shallower_than_um]).any()
    over = np.isfinite(signal.depth_um)
    parts = [_level_so_far(found), _signal_so_far(found)]
    if over or (passed and np.isfinite(found.lost_um)):
        parts.append(_what_to_do(found, over=bool(over)))
    said = "; ".join(part for part in parts if part)
    return f"{named(found.name)}: {said}." if said else ""


def _what_to_do(found: Forecast, *, over: bool) -> str:
    if found.at_most:
        when = "stop" if over else "stop there"
        return f"{when}, or average more frames: the power has stayed at its limit, {found.at_most}"
    return "stop, or start again with more power" if over else "raise the power or stop"


def _level_so_far(found: Forecast) -> str:
    level, strength = found.level, percent(found.strength)
    if np.isfinite(level.depth_um):
        return f"shot noise passed {strength} at {level.depth_um:.0f} µm"
    if np.isfinite(level.shallower_than_um):
        return f"shot noise is above {strength} from the first plane on"
    if np.isfinite(level.deeper_than_um):
        return f"shot noise is below {strength} down to {level.deeper_than_um:.0f} µm"
    return ""


def _signal_so_far(found: Forecast) -> str:
    if np.isfinite(found.signal.depth_um):
        return f"there is no signal beyond {found.signal.depth_um:.0f} µm"
    if np.isfinite(found.lost_um):
        near_um = _NEAR_UM * round(found.lost_um / _NEAR_UM)
        return f"at this power, the signal will be lost near {near_um} µm"
    return ""


def _level_of_one(found: AnalysedProfile) -> str:
    usable, level = found.usable, found.usable.level
    if np.isfinite(level.shallower_than_um):
        return f"shot noise is above {level_text(usable)} at all depths"
    where = down_to(level, found.profile)
    return f"shot noise stays below {level_text(usable)} {where}{_interval(level)}" if where else ""


def _interval(limit: DepthLimit) -> str:
    """Return the interval of a depth in brackets; empty if it is not known."""
    low, high = limit.ci95_um
    if not np.isfinite(limit.depth_um) or np.isnan([low, high]).all():
        return ""
    if np.isnan(high):
        return f" (95 % CI at least {low:.0f} µm)"
    if np.isnan(low):
        return f" (95 % CI at most {high:.0f} µm)"
    return f" (95 % CI {low:.0f} to {high:.0f} µm)"


def _why_none(found: AnalysedProfile) -> str:
    counts = Counter(plane.reason or "not read" for plane in found.profile.planes)
    return "; ".join(f"{n} of {len(found.profile)} {reason}" for reason, n in counts.most_common())


def _untold_level(found: AnalysedProfile) -> str:
    """Return that the planes do not determine the level depth; empty if they do."""
    if found.photons is None or not found.profile.kept.any() or _level_of_one(found):
        return ""
    depth, strength, _ = poisson_curve(found.profile)
    text = f"{too_short(depth)} to tell the depth at which shot noise passes "
    text += level_text(found.usable)
    above = strength > found.usable.at_strength
    first = int(above.argmax())
    if not above.any() or not first or not above[first:].all():
        return text
    near = f"between {depth[first - 1]:.0f} and {depth[first]:.0f} µm"
    return f"{text}, but single planes pass it {near}"


def _signal_of_one(found: AnalysedProfile) -> str:
    where = down_to(found.usable.signal, found.profile)
    return f"there is signal {where}" if where else ""
