"""The answer in plain English: which protocol images deeper, by how much, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import CLEAN, spoken
from cop_core.records import Comparison, power_text
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.calls import LEVEL
from cop_core.statistics.verdict_of_stack import alone, cautions_on, upside_down
from cop_core.statistics.verdict_powers import most_used, powers_of
from cop_core.statistics.verdict_words import (
    at,
    down_to,
    joined,
    level_text,
    named,
    noise,
    p_text,
    percent,
    protocol,
)
from cop_core.words import capital, listed

if TYPE_CHECKING:
    from cop_core.records import (
        ArmsComparison,
        ArmsDepth,
        ArmsEffect,
        ComponentDifference,
        ComponentEffect,
        DepthLimit,
    )

    Effects = Sequence[ComponentEffect] | Sequence[ArmsEffect]

_PER_100_UM: Final = 1e4  # strength per um to points per 100 um
_PER_CENT: Final = 100
_SAME: Final = (
    "Both stacks are the same: every plane reads exactly alike, so there is nothing to compare. "
    "Check that the second is not a copy of the first."
)


def verdict_of_pair(found: Comparison) -> str:
    """Return in a few sentences which of two protocols images deeper.

    Of a stack and a copy of it, only that they are the same is said. Else the headline is that of
    the level depths where their difference excludes 0, else that of the signal depths, else that of
    a called slope, else of a called mean, else that no difference is shown.
    """
    if _copies(found):
        return _SAME
    noises = _noises(found.effects, _pair_terms(found))
    before = [alone(each) or cautions_on(each) for each in found.analysed]
    powers = powers_of([found])
    return joined(*before, _headline(found), powers, *noises, _scope(found), _next_step(found))


def verdict_of_arms(found: ArmsComparison) -> str:
    """Return in a few sentences which of two arms images deeper."""
    low, high = found.window_um
    terms = _Terms(found.names, f"Over the depths of all stacks ({low:.0f}-{high:.0f} µm)", "")
    noises = _noises(found.effects, terms)
    powers = powers_of([found])
    return joined(_headline(found), powers, *noises, _scope_of_arms(found))


def _scope_of_arms(found: ArmsComparison) -> str:
    if found.paired:
        return f"From {found.n_units[0]} animals, each under both protocols (paired)."
    unit = "stacks" if found.animals is None else "animals"
    counts = zip(found.n_units, found.names, strict=True)
    return f"From {listed([f'{n} ({name})' for n, name in counts])} {unit} (unpaired)."


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
        first = f"{named(best[0])} images deepest of the {len(every)} protocols."
    elif won:
        first = f"None of the {len(every)} protocols is shown to image deeper than all others."
    else:
        first = f"None of the {len(every)} protocols is shown to image deeper than another."
    n_noises = sum(effect.component != CLEAN for effect in pairs[0].effects)
    corrected = f"p values are corrected for {n_noises} noises and {len(pairs)} pairs (Holm)."
    headlines = (_headline(found, than=True) for found in pairs)
    powers = powers_of(pairs)
    scope = _scope_of_several(pairs)
    return joined(first, *headlines, powers, scope, corrected)


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
    """Return 1 where the first protocol images deeper, -1 where the second does, else 0.

    0 also where a stack may be upside down: which end is deep is not known then.
    """
    if _in_doubt(found):
        return 0
    level, signal = _signs(found)
    return level or signal


def _in_doubt(found: Comparison | ArmsComparison) -> bool:
    return isinstance(found, Comparison) and any(map(upside_down, found.analysed))


# --- headlines -----------------------------------------------------------------------------------


def _headline(found: Comparison | ArmsComparison, *, than: bool = False) -> str:
    """Return the sentence on what differs first of all; with `than` it names both protocols."""
    names = found.names
    if _copies(found):
        return _SAME
    if _in_doubt(found):
        which = f"{protocol(names[0])} and {protocol(names[1])}" if than else "the two"
        return f"Which of {which} images deeper depends on that."
    if deeper(found):
        return _deeper(found, than=than)
    if isinstance(found, Comparison) and found.n_pairs < LEAST_PLANES:
        return _too_few(found)
    return (
        _slope_headline(found.effects, names, than=than)
        or _mean_headline(found.effects, names)
        or _nothing(found.effects, names)
    )


def _copies(found: Comparison | ArmsComparison) -> bool:
    """Whether two stacks are one: no two images of a tissue read alike to the last digit."""
    if not isinstance(found, Comparison):
        return False
    first, second = (each.profile for each in found.analysed)
    several = first.kept.sum() > 1  # a single plane is said to be one
    return bool(several) and np.array_equal(first.mean, second.mean, equal_nan=True)


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
    text = f"{named(names[better])} images deeper"
    text += f" than {protocol(names[worse])}:" if than else ":"
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
        return f"{level_text(ours)} {depths}{_by(found.usable_difference.level_ci95_um, better)}"
    return f"{percent(found.at_strength)} {_arms_depths(found.level, better)}"


def _signal_apart(found: Comparison | ArmsComparison, better: int) -> str:
    if isinstance(found, Comparison):
        ours, others = found.usable[better], found.usable[1 - better]
        depths = _instead(ours.signal, others.signal)
        return f"{depths}{_by(found.usable_difference.signal_ci95_um, better)}"
    return _arms_depths(found.signal, better)


def _arms_depths(depth: ArmsDepth, better: int) -> str:
    ends = depth.first_um, depth.second_um
    by = _by(depth.ci95_um, better, p_text(depth.p_holm))
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


def _instead(better: DepthLimit, worse: DepthLimit) -> str:
    if np.isfinite(worse.shallower_than_um):
        return f"{down_to(better)} instead of at no depth"
    return f"{down_to(better)} instead of {worse.depth_um:.0f} µm"


def _sign(interval: tuple[float, float]) -> int:
    """Return 1 or -1 where an interval excludes 0, else 0."""
    return int(interval[0] > 0) - int(interval[1] < 0)


def _slope_headline(effects: Effects, names: tuple[str, str], *, than: bool) -> str:
    called = [e for e in effects if e.difference.called]
    if not called:
        return ""
    first = max(called, key=lambda e: abs(e.difference.slope_difference_per_um))
    faster, other = names if first.difference.slope_difference_per_um > 0 else names[::-1]
    what = noise(first.component)
    compared = f" than {at(other)}" if than else ""
    return f"{capital(what)} rises faster with depth {at(faster)}{compared}."


def _mean_headline(effects: Effects, names: tuple[str, str]) -> str:
    called = [e for e in effects if e.difference.mean_called]
    if not called:
        return ""
    first = max(called, key=lambda e: abs(e.difference.mean_difference))
    less, more = names[::-1] if first.difference.mean_difference > 0 else names
    return f"There is less {noise(first.component)} {at(less)} than {at(more)}."


def _nothing(effects: Effects, names: tuple[str, str]) -> str:
    first = next((e for e in effects if e.component == "poisson"), effects[0])
    found = first.difference
    text = f"No difference shown between {protocol(names[0])} and {protocol(names[1])}."
    if not np.isfinite([found.se, found.reading_limit_per_um]).all():
        return text
    slope = max(found.reading_limit_per_um, 2 * found.se) * _PER_100_UM
    mean = 100 * np.nanmax([found.mean_reading_limit, np.ptp(found.mean_difference_ci95) / 2])
    return (
        f"{text} One would be shown if {noise(first.component)} were {mean:.1f} points higher "
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
        if effect.difference.any_called:
            yield _difference(effect.component, effect.difference, terms, over)
            over = "There"
    silent = [
        spoken(e.component)
        for e in effects
        if not (e.difference.any_called or e.component == CLEAN)
    ]
    if silent:
        yield f"Differences in {listed(silent)} noise cannot be told from chance or reading error."


def _difference(component: str, found: ComponentDifference, terms: _Terms, over: str) -> str:
    """Return the sentence on a slope that is called, else on a mean."""
    if found.called:
        value, ends, p = found.slope_difference_per_um, found.slope_difference_ci95, found.p_holm
        limit, scale = found.reading_limit_per_um, _PER_100_UM
        verb, unit, more = "rises", "points per 100 µm", "faster"
    else:
        value, ends, p = found.mean_difference, found.mean_difference_ci95, found.mean_p_holm
        limit, scale = found.mean_reading_limit, _PER_CENT
        verb, unit, more = "is", "points", "higher on average"
    low, high = sorted(scale * abs(end) for end in ends)
    return (
        f"{over} {noise(component)} {verb} {scale * abs(value):.1f} {unit} {more} "
        f"{at(terms.names[0] if value > 0 else terms.names[1])} (95 % CI {low:.1f} to {high:.1f}"
        f"{terms.covered}; {p_text(p)}; reading limit {scale * limit:.1f} {unit})."
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
        f"Next: get a recommended power that holds {percent(found.options.level)} shot noise "
        f"within the {power_text(*used)} already used."
    )
