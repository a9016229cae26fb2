"""The answer in plain English: which protocol images deeper, by how much, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import CLEAN, listed, spoken
from cop_core.records import ITS_STACK, SINGLE_PLANE, Comparison, power_text
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.bend import TOO_SHORT
from cop_core.statistics.calls import LEVEL
from cop_core.statistics.caveats import cautions, may_be_upwards
from cop_core.statistics.verdict_powers import most_used, powers_of

if TYPE_CHECKING:
    from cop_core.records import (
        AnalysedProfile,
        ArmsComparison,
        ArmsDepth,
        ArmsEffect,
        ComponentDifference,
        ComponentEffect,
        DepthLimit,
        UsableDepth,
    )
    from cop_core.statistics.forecast import Forecast

    Effects = Sequence[ComponentEffect] | Sequence[ArmsEffect]

_SPOKEN: Final = {"fixed": "fixed power", "gained": "gained power"}
_NEAR_UM: Final = 10
"""Step in um of depths that are forecast."""
_PER_100_UM: Final = 1e4  # strength per um to points per 100 um


def verdict_of_profile(found: AnalysedProfile) -> str:
    """Return in a sentence or two how deep one stack can be used."""
    if alone := _alone(found):
        return alone
    return _joined(_cautions(found), "" if _may_be_upwards(found) else _depths_of_one(found))


def _depths_of_one(found: AnalysedProfile) -> str:
    usable = found.usable
    parts = [_signal_of_one(usable.signal)]
    if (level := _level_of_one(usable)) != "":
        parts.insert(0, level)
    said = [part for part in parts if part]
    if not said:
        return f"{_named(found.name)}: no depth can be determined from these planes."
    untold = f"; {text}" if (text := _untold_level(found)) else ""
    return f"{_named(found.name)}: {', and '.join(said)}{untold}."


def _alone(found: AnalysedProfile) -> str:
    """Return what is said of a stack of one plane; empty of others."""
    if len(found.profile) != 1:
        return ""
    return f"{_named(found.name)}: {SINGLE_PLANE}. {ITS_STACK[:1].upper()}{ITS_STACK[1:]}."


def _cautions(found: AnalysedProfile) -> str:
    """Return the caveats that the answer must not be read without."""
    said = cautions(found.profile, found.lines)
    return _joined(*(f"Caution, in {found.name} {text}." for text in said))


def _may_be_upwards(found: AnalysedProfile) -> bool:
    return may_be_upwards(found.profile, found.lines)


def verdict_of_growing(found: Forecast) -> str:
    """Return in one sentence how a stack stands that is still being acquired, and what to do."""
    level, signal = found.level, found.signal
    passed = np.isfinite([level.depth_um, level.shallower_than_um]).any()
    over = np.isfinite(signal.depth_um)
    parts = [_level_so_far(found), _signal_so_far(found)]
    if over:
        parts.append("stop, or start again with more power")
    elif passed and np.isfinite(found.lost_um):
        parts.append("raise power or stop")
    said = "; ".join(part for part in parts if part)
    return f"{_named(found.name)}: {said}." if said else ""


def _level_so_far(found: Forecast) -> str:
    level, percent = found.level, _percent(found.strength)
    if np.isfinite(level.depth_um):
        return f"shot noise passed {percent} at {level.depth_um:.0f} µm"
    if np.isfinite(level.shallower_than_um):
        return f"shot noise is above {percent} from the first plane on"
    if np.isfinite(level.deeper_than_um):
        return f"shot noise is below {percent} down to {level.deeper_than_um:.0f} µm"
    return ""


def _signal_so_far(found: Forecast) -> str:
    if np.isfinite(found.signal.depth_um):
        return f"there is no signal beyond {found.signal.depth_um:.0f} µm"
    if np.isfinite(found.lost_um):
        near_um = _NEAR_UM * round(found.lost_um / _NEAR_UM)
        return f"at this power signal will be lost near {near_um} µm"
    return ""


def verdict_of_pair(found: Comparison) -> str:
    """Return in a few sentences which of two protocols images deeper.

    The headline is that of the level depths where their difference excludes 0, else that of the
    signal depths, else that of a called slope, else of a called mean, else that no difference is
    shown.
    """
    noises = _noises(found.effects, _pair_terms(found))
    before = [_alone(each) or _cautions(each) for each in found.analysed]
    powers = powers_of([found])
    return _joined(*before, _headline(found), powers, *noises, _scope(found), _next_step(found))


def verdict_of_arms(found: ArmsComparison) -> str:
    """Return in a few sentences which of two arms images deeper."""
    test = "paired" if found.paired else "unpaired"
    n = f"{found.n_units[0]} and {found.n_units[1]}"
    unit = "stacks" if found.animals is None else "animals"
    low, high = found.window_um
    terms = _Terms(found.names, f"Over the depths of all stacks ({low:.0f}-{high:.0f} µm)", "")
    noises = _noises(found.effects, terms)
    powers = powers_of([found])
    return _joined(_headline(found), powers, *noises, f"From {n} {unit}, {test}.")


def verdict_of_several(pairs: Sequence[Comparison | ArmsComparison]) -> str:
    """Return in a few sentences which of three protocols or more images deepest.

    `pairs` are those that could be compared, each corrected for all.
    """
    names = [found.names for found in pairs]
    every = dict.fromkeys(name for pair in names for name in pair)
    signs = [deeper(found) for found in pairs]
    won = [
        pair[0] if sign > 0 else pair[1] for pair, sign in zip(names, signs, strict=True) if sign
    ]
    best = [name for name in every if won.count(name) == len(every) - 1]
    if best:
        first = f"{_named(best[0])} images deepest of the {len(every)} protocols."
    elif won:
        first = f"None of the {len(every)} protocols is shown to image deeper than all others."
    else:
        first = f"None of the {len(every)} protocols is shown to image deeper than another."
    n_noises = sum(effect.component != CLEAN for effect in pairs[0].effects)
    corrected = f"p values are corrected for {n_noises} noises and {len(pairs)} pairs (Holm)."
    headlines = (_headline(found, than=True) for found in pairs)
    powers = powers_of(pairs)
    return _joined(first, *headlines, powers, _scope_of_several(pairs), corrected)


def _scope_of_several(pairs: Sequence[Comparison | ArmsComparison]) -> str:
    """Return what the answer speaks of: animals, or the tissues at hand."""
    n_units: dict[str, int] = {}
    for found in pairs:
        if isinstance(found, Comparison):
            return _scope(found)
        n_units |= zip(found.names, found.n_units, strict=True)
    unit = "stacks" if pairs[0].animals is None else "animals"  # type: ignore[union-attr]
    said = listed([f"{n} ({name})" for name, n in n_units.items()])
    return f"From {said} {unit}."


def deeper(found: Comparison | ArmsComparison) -> int:
    """Return 1 where the first protocol images deeper, -1 where the second does, else 0."""
    level, signal = _signs(found)
    return level or signal


# --- headlines -----------------------------------------------------------------------------------


def _headline(found: Comparison | ArmsComparison, *, than: bool = False) -> str:
    """Return the sentence on what differs first of all; with `than` it names both protocols."""
    names = found.names
    if isinstance(found, Comparison) and any(map(_may_be_upwards, found.analysed)):
        return "Which of the two images deeper depends on that."
    if deeper(found):
        return _deeper(found, than=than)
    if isinstance(found, Comparison) and found.n_pairs < LEAST_PLANES:
        return _too_few(found)
    return (
        _slope_headline(found.effects, names, than=than)
        or _mean_headline(found.effects, names)
        or _nothing(found.effects, names)
    )


def _too_few(found: Comparison) -> str:
    if not found.n_pairs:
        return "The two stacks share no depth at which both could be read: nothing is compared."
    depths = "depth is" if found.n_pairs == 1 else "depths are"
    return (
        f"Too few planes to compare: only {found.n_pairs} {depths} kept in both, so no error can "
        "be stated."
    )


def _signs(found: Comparison | ArmsComparison) -> tuple[int, int]:
    """Return which protocol's level depth and signal depth lie deeper: 1, -1, or 0 for neither."""
    if isinstance(found, Comparison):
        apart = found.usable_difference
        return _sign(apart.level_ci95_um), _sign(apart.signal_ci95_um)
    level, signal = (
        int(np.sign(depth.difference_um)) if depth.p_holm < LEVEL else 0
        for depth in (found.level, found.signal)
    )
    return level, signal


def _deeper(found: Comparison | ArmsComparison, *, than: bool) -> str:
    """Return the sentence on usable depths."""
    level, signal = _signs(found)
    names = found.names
    better, worse = (0, 1) if (level or signal) > 0 else (1, 0)
    text = f"{_named(names[better])} images deeper"
    text += f" than {_spoken(names[worse])}:" if than else ":"
    depths = f"there is signal {_signal_apart(found, better)}"
    if not level:
        return f"{text} {depths}."
    text = f"{text} shot noise stays below {_level_apart(found, better)}"
    if not signal:
        return f"{text}."
    return f"{text}, {'and' if level == signal else 'but'} {depths}."


def _level_apart(found: Comparison | ArmsComparison, better: int) -> str:
    if isinstance(found, Comparison):
        ours, others = found.usable[better], found.usable[1 - better]
        depths = _instead(ours.level, others.level)
        return f"{_level(ours)} {depths}{_by(found.usable_difference.level_ci95_um, better)}"
    return f"{_percent(found.at_strength)} {_arms_depths(found.level, better)}"


def _signal_apart(found: Comparison | ArmsComparison, better: int) -> str:
    if isinstance(found, Comparison):
        ours, others = found.usable[better], found.usable[1 - better]
        depths = _instead(ours.signal, others.signal)
        return f"{depths}{_by(found.usable_difference.signal_ci95_um, better)}"
    return _arms_depths(found.signal, better)


def _arms_depths(depth: ArmsDepth, better: int) -> str:
    ends = depth.first_um, depth.second_um
    by = _by(depth.ci95_um, better, _p(depth.p_holm))
    return f"down to {ends[better]:.0f} µm instead of {ends[1 - better]:.0f} µm{by}"


def _by(interval: tuple[float, float], better: int, p: str = "") -> str:
    """Return in brackets by how much the better protocol is deeper; the interval is first - second.

    One that spans 0, where it is the endpoint that the answer does not rest on, says both ends.
    """
    low, high = interval if better == 0 else (-interval[1], -interval[0])
    if np.isnan([low, high]).any():
        return ""
    if low == np.inf:
        text = "95 % CI deeper than these planes reach"
    elif high == np.inf:
        text = f"95 % CI at least {low:.0f} µm deeper"
    elif low == -np.inf:
        text = f"95 % CI at most {high:.0f} µm deeper"
    elif high < 0:
        text = f"95 % CI {-high:.0f} to {-low:.0f} µm shallower"
    else:
        text = f"95 % CI {low:.0f} to {high:.0f} µm deeper"
    return f" ({text}; {p})" if p else f" ({text})"


def _slope_headline(effects: Effects, names: tuple[str, str], *, than: bool) -> str:
    called = [e for e in effects if e.difference.called]
    if not called:
        return ""
    first = max(called, key=lambda e: abs(e.difference.slope_difference_per_um))
    faster, other = names if first.difference.slope_difference_per_um > 0 else names[::-1]
    what = _noise(first.component)
    compared = f" than {_at(other)}" if than else ""
    return f"{what[:1].upper()}{what[1:]} rises faster with depth {_at(faster)}{compared}."


def _mean_headline(effects: Effects, names: tuple[str, str]) -> str:
    called = [e for e in effects if e.difference.mean_called]
    if not called:
        return ""
    first = max(called, key=lambda e: abs(e.difference.mean_difference))
    less, more = names[::-1] if first.difference.mean_difference > 0 else names
    return f"There is less {_noise(first.component)} {_at(less)} than {_at(more)}."


def _nothing(effects: Effects, names: tuple[str, str]) -> str:
    first = next((e for e in effects if e.component == "poisson"), effects[0])
    found = first.difference
    text = f"No difference shown between {_spoken(names[0])} and {_spoken(names[1])}."
    if not np.isfinite([found.se, found.reading_limit_per_um]).all():
        return text
    slope = max(found.reading_limit_per_um, 2 * found.se) * _PER_100_UM
    mean = 100 * np.nanmax([found.mean_reading_limit, np.ptp(found.mean_difference_ci95) / 2])
    return (
        f"{text} One would be shown if {_noise(first.component)} were {mean:.1f} points higher "
        f"on average with one of them, or rose {slope:.1f} points per 100 µm faster."
    )


# --- noises --------------------------------------------------------------------------------------


class _Terms:
    """How differences are spoken of: names of the protocols, depths, and what intervals cover."""

    def __init__(self, names: tuple[str, str], over: str, covered: str) -> None:
        self.names, self.over, self.covered = names, over, covered


def _pair_terms(found: Comparison) -> _Terms:
    low, high = found.window_um
    covered = "if this tissue were imaged again" if found.same_tissue else "for such tissues"
    over = f"Over the depths that both keep ({low:.0f}-{high:.0f} µm)"
    return _Terms(found.names, over, f" {covered}")


def _noises(effects: Effects, terms: _Terms) -> Iterator[str]:
    over = terms.over
    for effect in effects:
        found = effect.difference
        if found.any_called:
            say = _slope if found.called else _mean
            yield say(effect.component, found, terms, over)
            over = "There"
    silent = [
        spoken(e.component)
        for e in effects
        if not (e.difference.any_called or e.component == CLEAN)
    ]
    if silent:
        yield f"Differences in {listed(silent)} noise cannot be told from chance or reading error."


def _mean(component: str, found: ComponentDifference, terms: _Terms, over: str) -> str:
    first = found.mean_difference > 0
    low, high = sorted(100 * abs(end) for end in found.mean_difference_ci95)
    return (
        f"{over} {_noise(component)} is {100 * abs(found.mean_difference):.1f} points higher on "
        f"average {_at(terms.names[0] if first else terms.names[1])} (95 % CI {low:.1f} to "
        f"{high:.1f}{terms.covered}; {_p(found.mean_p_holm)}; "
        f"reading limit {100 * found.mean_reading_limit:.1f} points)."
    )


def _slope(component: str, found: ComponentDifference, terms: _Terms, over: str) -> str:
    first = found.slope_difference_per_um > 0
    low, high = sorted(_PER_100_UM * abs(end) for end in found.slope_difference_ci95)
    return (
        f"{over} {_noise(component)} rises "
        f"{_PER_100_UM * abs(found.slope_difference_per_um):.1f} points per 100 µm faster "
        f"{_at(terms.names[0] if first else terms.names[1])} (95 % CI {low:.1f} to {high:.1f}"
        f"{terms.covered}; {_p(found.p_holm)}; "
        f"reading limit {_PER_100_UM * found.reading_limit_per_um:.1f} points per 100 µm)."
    )


def _scope(found: Comparison) -> str:
    if found.same_tissue:
        scope = "One tissue: this says nothing about other animals."
    else:
        scope = "Two tissues: tissue and protocol cannot be told apart."
    if found.n_pairs < LEAST_PLANES:
        return scope
    limits = [e.difference.reading_limit_per_um for e in found.effects]
    if not np.isfinite(limits).any():
        return f"The weights state no uncertainty, so nothing is called. {scope}"
    return scope


def _next_step(found: Comparison) -> str:
    used = most_used([each.profile for each in found.analysed])
    if used is None:
        return "Next: state the power of each plane, so that a power can be recommended."
    return (
        f"Next: get a recommended power that holds {_percent(found.options.level)} shot noise "
        f"within the {power_text(*used)} already used."
    )


# --- words ---------------------------------------------------------------------------------------


def _joined(*sentences: str) -> str:
    return " ".join(text for text in sentences if text)


def _level_of_one(usable: UsableDepth) -> str:
    level = usable.level
    if np.isfinite(level.shallower_than_um):
        return f"shot noise is above {_level(usable)} at all depths"
    where = _down_to(level)
    return f"shot noise stays below {_level(usable)} {where}" if where else ""


def _untold_level(found: AnalysedProfile) -> str:
    """Return that the level depth cannot be told from the planes; empty where it can."""
    if found.photons is None or not found.profile.kept.any() or _level_of_one(found.usable):
        return ""
    return f"{TOO_SHORT} to tell the depth at which shot noise passes {_level(found.usable)}"


def _signal_of_one(signal: DepthLimit) -> str:
    where = _down_to(signal)
    return f"there is signal {where}" if where else ""


def _down_to(limit: DepthLimit) -> str:
    if np.isfinite(limit.deeper_than_um):
        return f"down to the last plane, {limit.deeper_than_um:.0f} µm"
    return f"down to {limit.depth_um:.0f} µm" if np.isfinite(limit.depth_um) else ""


def _instead(better: DepthLimit, worse: DepthLimit) -> str:
    if np.isfinite(worse.shallower_than_um):
        return f"{_down_to(better)} instead of at no depth"
    return f"{_down_to(better)} instead of {worse.depth_um:.0f} µm"


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
    return f"{spoken(component)} noise"


def _p(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
