"""The answer in plain English: which protocol images deeper, by how much, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import CLEAN, COMPONENT_NAMES
from cop_core.statistics.contrast import LEAST_PLANES

if TYPE_CHECKING:
    from cop_core.records import (
        AnalysedProfile,
        ArmsComparison,
        ArmsDepth,
        ArmsEffect,
        Comparison,
        ComponentEffect,
        DepthLimit,
        UsableDepth,
    )

_SPOKEN: Final = {"fixed": "fixed power", "gained": "gained power"}
_PER_100_UM: Final = 1e4  # strength per um to points per 100 um


def verdict_of_profile(found: AnalysedProfile) -> str:
    """Return in a sentence or two how deep one stack can be used."""
    usable = found.usable
    parts = [_signal_of_one(usable.signal)]
    if (level := _level_of_one(usable)) != "":
        parts.insert(0, level)
    said = [part for part in parts if part]
    if not said:
        return f"{_named(found.name)}: no depth is told from these planes."
    return f"{_named(found.name)}: {', and '.join(said)}."


def verdict_of_pair(found: Comparison) -> str:
    """Return in a few sentences which of two protocols images deeper.

    The headline is that of the level depths where their difference excludes 0, else that of the
    signal depths, else that of a called slope, else that no difference is shown.
    """
    slopes = _slopes(found.effects, _pair_terms(found))
    sentences = [_headline(found), *slopes, _scope(found), _next_step(found)]
    return " ".join(text for text in sentences if text)


def verdict_of_arms(found: ArmsComparison) -> str:
    """Return in a few sentences which of two arms images deeper."""
    test = "paired" if found.paired else "unpaired"
    n = f"{found.n_units[0]} and {found.n_units[1]}"
    unit = "stacks" if found.animals is None else "animals"
    headline = _arms_headline(found) or _slope_headline(found.effects, ("fixed", "gained"))
    window = f"{found.window_um[0]:.0f}-{found.window_um[1]:.0f} um"
    terms = _Terms(("fixed", "gained"), f"Over the depths of all stacks ({window})", "")
    sentences = [
        headline or _nothing(found.effects, ("fixed", "gained")),
        *_slopes(found.effects, terms),
        f"From {n} {unit}, {test}.",
    ]
    return " ".join(text for text in sentences if text)


# --- headlines -----------------------------------------------------------------------------------


def _headline(found: Comparison) -> str:
    names = found.fixed.name, found.gained.name
    difference = found.usable_difference
    level, signal = (_sign(ends) for ends in (difference.level_ci95_um, difference.signal_ci95_um))
    if level or signal:
        return _deeper(found, level, signal)
    if not found.n_pairs:
        return "The two stacks share no depth at which both have a number: nothing is compared."
    return _slope_headline(found.effects, names) or _nothing(found.effects, names)


def _deeper(found: Comparison, level: int, signal: int) -> str:
    """Return the sentence on usable depths; signs say which stack is deeper."""
    first = (level or signal) > 0
    better, worse = (0, 1) if first else (1, 0)
    name = _named(found.analysed[better].name)
    a, b = found.usable[better], found.usable[worse]
    depths = f"there is signal {_instead(a.signal, b.signal)}"
    if not level:
        return f"{name} images deeper: {depths}."
    text = f"{name} images deeper: shot noise stays below {_level(a)} {_instead(a.level, b.level)}"
    if not signal:
        return f"{text}."
    return f"{text}, {'and' if level == signal else 'but'} {depths}."


def _arms_headline(found: ArmsComparison) -> str:
    for depth, what in (
        (found.level, f"shot noise stays below {_percent(found.at_strength)}"),
        (found.signal, "there is signal"),
    ):
        sign = _sign(depth.ci95_um)
        if sign:
            return _arms_sentence(depth, what, sign)
    return ""


def _arms_sentence(depth: ArmsDepth, what: str, sign: int) -> str:
    better, worse = (
        (depth.fixed_um, depth.gained_um) if sign > 0 else (depth.gained_um, depth.fixed_um)
    )
    low, high = sorted(map(abs, depth.ci95_um))
    name = _named("fixed" if sign > 0 else "gained")
    return (
        f"{name} images deeper: {what} down to {better:.0f} um instead of {worse:.0f} um "
        f"(95 % CI {low:.0f} to {high:.0f} um deeper; {_p(depth.p_value)})."
    )


def _slope_headline(
    effects: Sequence[ComponentEffect] | Sequence[ArmsEffect], names: tuple[str, str]
) -> str:
    called = [e for e in effects if e.called]
    if not called:
        return ""
    first = max(called, key=lambda e: abs(e.slope_difference_per_um))
    faster = names[0] if first.slope_difference_per_um > 0 else names[1]
    what = _noise(first.component)
    return f"{what[:1].upper()}{what[1:]} rises faster with depth {_at(faster)}."


def _nothing(
    effects: Sequence[ComponentEffect] | Sequence[ArmsEffect], names: tuple[str, str]
) -> str:
    first = next((e for e in effects if e.component == "poisson"), effects[0])
    text = f"No difference shown between {_spoken(names[0])} and {_spoken(names[1])}"
    if not np.isfinite([first.se, first.reading_limit_per_um]).all():
        return f"{text}."
    least = max(first.reading_limit_per_um, 2 * first.se) * _PER_100_UM
    what = _noise(first.component)
    return f"{text}: one of {least:.1f} points per 100 um or more in {what} would have been."


# --- slopes --------------------------------------------------------------------------------------


class _Terms:
    """How slopes are spoken of: names of the protocols, depths, and what intervals cover."""

    def __init__(self, names: tuple[str, str], over: str, covered: str) -> None:
        self.names, self.over, self.covered = names, over, covered


def _pair_terms(found: Comparison) -> _Terms:
    low, high = found.window_um
    covered = "if this tissue were imaged again" if found.same_tissue else "for such tissues"
    over = f"Over the depths that both keep ({low:.0f}-{high:.0f} um)"
    return _Terms((found.fixed.name, found.gained.name), over, f" {covered}")


def _slopes(
    effects: Sequence[ComponentEffect] | Sequence[ArmsEffect], terms: _Terms
) -> Iterator[str]:
    over = terms.over
    for effect in effects:
        if effect.called:
            yield _slope(effect, terms, over)
            over = "There"
    silent = [_kind(e.component) for e in effects if not (e.called or e.component == CLEAN)]
    if silent:
        listed = " and ".join(", ".join(silent).rsplit(", ", 1))
        yield f"{listed[0].upper()}{listed[1:]} noise: no statement."


def _slope(effect: ComponentEffect | ArmsEffect, terms: _Terms, over: str) -> str:
    first = effect.slope_difference_per_um > 0
    low, high = sorted(_PER_100_UM * abs(end) for end in effect.slope_difference_ci95)
    return (
        f"{over} {_noise(effect.component)} rises "
        f"{_PER_100_UM * abs(effect.slope_difference_per_um):.1f} points per 100 um faster "
        f"{_at(terms.names[0] if first else terms.names[1])} (95 % CI {low:.1f} to {high:.1f}"
        f"{terms.covered}; {_p(effect.p_holm)}; "
        f"reading limit {_PER_100_UM * effect.reading_limit_per_um:.1f})."
    )


def _scope(found: Comparison) -> str:
    if found.same_tissue:
        scope = "One tissue: this says nothing about other animals."
    else:
        scope = "Two tissues: tissue and protocol cannot be told apart."
    if found.n_pairs and found.n_pairs < LEAST_PLANES:
        return f"Only {found.n_pairs} depths are kept in both: no error can be stated. {scope}"
    if found.n_pairs and not np.isfinite([e.reading_limit_per_um for e in found.effects]).any():
        return f"The weights state no uncertainty, so nothing is called. {scope}"
    return scope


def _next_step(found: Comparison) -> str:
    profiles = [each.profile for each in found.analysed]
    powers = np.concatenate([profile.power for profile in profiles])
    units = {profile.power_unit for profile in profiles}
    if len(units) > 1 or not np.isfinite(powers).any():
        return "Next: state the power of each plane, so that a power can be recommended."
    return (
        f"Next: have a power recommended that holds {_percent(found.options.level)} shot noise, "
        f"within the {np.nanmax(powers):g} {units.pop()} already used."
    )


# --- words ---------------------------------------------------------------------------------------


def _level_of_one(usable: UsableDepth) -> str:
    level = usable.level
    if np.isfinite(level.shallower_than_um):
        return f"shot noise is above {_level(usable)} at all depths"
    where = _down_to(level)
    return f"shot noise stays below {_level(usable)} {where}" if where else ""


def _signal_of_one(signal: DepthLimit) -> str:
    where = _down_to(signal)
    return f"there is signal {where}" if where else ""


def _down_to(limit: DepthLimit) -> str:
    if np.isfinite(limit.deeper_than_um):
        return f"down to the last plane, {limit.deeper_than_um:.0f} um"
    return f"down to {limit.depth_um:.0f} um" if np.isfinite(limit.depth_um) else ""


def _instead(better: DepthLimit, worse: DepthLimit) -> str:
    if np.isfinite(worse.shallower_than_um):
        return f"{_down_to(better)} instead of at no depth"
    return f"{_down_to(better)} instead of {worse.depth_um:.0f} um"


def _level(usable: UsableDepth) -> str:
    return f"{_percent(usable.at_strength)} ({usable.photons:.0f} photons)"


def _percent(strength: float) -> str:
    return f"{100 * strength:g} %"


def _sign(interval: tuple[float, float]) -> int:
    """Return 1 or -1 where an interval excludes 0, else 0."""
    return int(interval[0] > 0) - int(interval[1] < 0)


def _spoken(name: str) -> str:
    return _SPOKEN.get(name, name)


def _named(name: str) -> str:
    spoken = _spoken(name)
    return spoken[:1].upper() + spoken[1:] if name in _SPOKEN else spoken


def _at(name: str) -> str:
    return f"at {_spoken(name)}" if name in _SPOKEN else f"with {name}"


def _noise(component: str) -> str:
    return f"{_kind(component)} noise"


def _kind(component: str) -> str:
    if component == "poisson":
        return "shot"
    known = COMPONENT_NAMES.get(component, component)
    return known if component == "gaussian" else known.lower()


def _p(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
