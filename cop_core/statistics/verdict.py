"""The answer in plain English: which protocol images deeper, by how much, how certainly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import CLEAN, spoken
from cop_core.recipes.power_options import FAINTEST, STRONGEST
from cop_core.records import ArmsEffect, Comparison, power_text
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.calls import LEVEL
from cop_core.statistics.significance import t_needed
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
        ComponentEffect,
        DepthLimit,
    )

    Effects = Sequence[ComponentEffect] | Sequence[ArmsEffect]

_PER_100_UM: Final = 1e4  # strength per µm to points per 100 µm
_PER_CENT: Final = 100
_MOST_POINTS: Final = 100
"""The largest possible difference of a strength."""
_SOME_TISSUES: Final = (
    "Not all stacks show the same tissue: where they do not, tissue and protocol cannot be told "
    "apart."
)
_NO_ANIMALS: Final = (
    "Animals are not stated, so every stack counts as a different one; if some are of one animal, "
    "p values are too small."
)
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
    told = _headline(found), powers_of([found]), _reading_shifts(found)
    return joined(*before, *told, *noises, _scope(found), _next_step(found))


def verdict_of_arms(found: ArmsComparison) -> str:
    """Return in a few sentences which of two arms images deeper."""
    low, high = found.window_um
    terms = _Terms(found.names, f"Over the depths of all stacks ({low:.0f} to {high:.0f} µm)", "")
    noises = _noises(found.effects, terms)
    powers = powers_of([found])
    return joined(_headline(found), powers, *noises, _scope_of_arms(found))


def _scope_of_arms(found: ArmsComparison) -> str:
    if found.paired:
        return f"From {found.n_units[0]} animals, each under both protocols (paired)."
    return _units(found, dict(zip(found.names, found.n_units, strict=True)), " (unpaired)")


def _units(found: ArmsComparison, n_units: dict[str, int], how: str = "") -> str:
    """Return the number of animals of each protocol, or of stacks if no animals are stated."""
    counted = listed([f"{n} ({name})" for name, n in n_units.items()])
    if found.animals is None:
        return f"From {counted} stacks{how}. {_NO_ANIMALS}"
    return f"From {counted} animals{how}."


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
    n_pairs = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''}"
    corrected = f"p values are corrected for {n_noises} noises and {n_pairs} (Holm)."
    headlines = (_headline(found, than=True, n_pairs=len(pairs)) for found in pairs)
    powers = powers_of(pairs)
    scope = _scope_of_several(pairs)
    return joined(first, *headlines, powers, scope, corrected)


def _scope_of_several(pairs: Sequence[Comparison | ArmsComparison]) -> str:
    """Return the subject of the answer: animals, or the tissues at hand."""
    alone = [found for found in pairs if isinstance(found, Comparison)]
    if alone:
        alike = {found.same_tissue for found in alone}
        return _scope(alone[0]) if len(alike) == 1 else _SOME_TISSUES
    n_units: dict[str, int] = {}
    for found in pairs:
        n_units |= zip(found.names, found.n_units, strict=True)  # type: ignore[union-attr]
    return _units(pairs[0], n_units)  # type: ignore[arg-type]


def deeper(found: Comparison | ArmsComparison) -> int:
    """Return 1 where the first protocol images deeper, -1 where the second does, else 0.

    Also 0 if a stack may be upside down, since its deep end is then unknown.
    """
    if _in_doubt(found):
        return 0
    level, signal = _signs(found)
    return level or signal


def _in_doubt(found: Comparison | ArmsComparison) -> bool:
    return isinstance(found, Comparison) and any(map(upside_down, found.analysed))


# --- headlines -----------------------------------------------------------------------------------


def _headline(found: Comparison | ArmsComparison, *, than: bool = False, n_pairs: int = 1) -> str:
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
        or _nothing(found, n_pairs)
    )


def _copies(found: Comparison | ArmsComparison) -> bool:
    """Whether two stacks are the same: no two acquisitions agree to the last digit."""
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
        depths = _instead(found, better, ours.level, others.level)
        return f"{level_text(ours)} {depths}{_by(found.usable_difference.level_ci95_um, better)}"
    return f"{percent(found.at_strength)} {_arms_depths(found, found.level, better)}"


def _signal_apart(found: Comparison | ArmsComparison, better: int) -> str:
    if isinstance(found, Comparison):
        ours, others = found.usable[better], found.usable[1 - better]
        depths = _instead(found, better, ours.signal, others.signal)
        return f"{depths}{_by(found.usable_difference.signal_ci95_um, better)}"
    return _arms_depths(found, found.signal, better)


def _arms_depths(found: ArmsComparison, depth: ArmsDepth, better: int) -> str:
    ends = depth.first_um, depth.second_um
    by = _by(depth.ci95_um, better, p_text(depth.p_holm))
    least = "at least " if ends[better] == depth.counted_to_um else ""
    text = f"down to {least}{ends[better]:.0f} µm instead of {ends[1 - better]:.0f} µm"
    if depth.n_deeper and not least:
        text += f", counting deeper ones as {depth.counted_to_um:.0f} µm"
    if depth.n_untold:
        n = len(found.first) + len(found.second)
        text += f", {depth.n_untold} of {n} stacks left out because this depth is not known"
    return f"{text}{by}"


def _by(interval: tuple[float, float], better: int, p: str = "") -> str:
    """Return in brackets by how much the better protocol is deeper; the interval is first - second.

    Only the endpoint on which the answer does not rest may span 0; it states both ends.
    """
    low, high = interval if better == 0 else (-interval[1], -interval[0])
    if np.isnan([low, high]).any():
        return ""
    if low == np.inf:
        text = "95 % CI deeper than these planes reach"
    elif high == np.inf:
        text = f"95 % CI at least {low:.0f} µm deeper"
    elif low == -np.inf and high < 0:
        text = f"95 % CI at least {-high:.0f} µm shallower"
    elif low == -np.inf:
        text = f"95 % CI at most {high:.0f} µm deeper"
    elif high < 0:
        text = f"95 % CI {-high:.0f} to {-low:.0f} µm shallower"
    else:
        text = f"95 % CI {low:.0f} to {high:.0f} µm deeper"
    return f" ({text}; {p})" if p else f" ({text})"


def _reading_shifts(found: Comparison) -> str:
    """Return how far the uncertainty of readings would move the level depths that were told."""
    if _in_doubt(found) or not _signs(found)[0]:
        return ""
    shifts = [
        f"{usable.level.reading_shift_um:.0f} µm ({name})"
        for usable, name in zip(found.usable, found.names, strict=True)
        if np.isfinite(usable.level.reading_shift_um)
    ]
    if not shifts:
        return ""
    level = percent(found.usable[0].at_strength)
    return f"Reading error may move the depth of {level} shot noise by {listed(shifts)}."


def _instead(found: Comparison, better: int, ours: DepthLimit, others: DepthLimit) -> str:
    """Return down to where something holds with the better protocol, and with the other."""
    deeper, less_deep = (found.analysed[i].profile for i in (better, 1 - better))
    text = down_to(ours, deeper)
    if np.isfinite(others.depth_um):
        return f"{text} instead of {others.depth_um:.0f} µm"
    return f"{text} instead of {down_to(others, less_deep) or 'at no depth'}"


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
    verb, more = _course(first)
    return f"{capital(what)} {verb} {more} with depth {at(faster)}{compared}."


def _course(effect: ComponentEffect | ArmsEffect) -> tuple[str, str]:
    """Return verb and adverb for a noise: ``"rises", "faster"`` or ``"falls", "more slowly"``."""
    if isinstance(effect, ArmsEffect):
        slopes = effect.first_slope_per_um, effect.second_slope_per_um
    else:
        slopes = effect.first.slope_per_um, effect.second.slope_per_um
    return ("falls", "more slowly") if max(slopes) < 0 else ("rises", "faster")


def _mean_headline(effects: Effects, names: tuple[str, str]) -> str:
    called = [e for e in effects if e.difference.mean_called]
    if not called:
        return ""
    first = max(called, key=lambda e: abs(e.difference.mean_difference))
    less, more = names[::-1] if first.difference.mean_difference > 0 else names
    return f"{capital(noise(first.component))} is lower {at(less)} than {at(more)}."


def _nothing(found: Comparison | ArmsComparison, n_pairs: int) -> str:
    """Return that nothing is called, and the size of difference that would be."""
    noises = [effect for effect in found.effects if effect.component != CLEAN]
    first = next((e for e in noises if e.component == "poisson"), noises[0])
    own = first.difference
    text = f"No difference shown between {protocol(found.names[0])} and {protocol(found.names[1])}."
    naive = isinstance(found, Comparison) and found.options.rule == "paper"
    if naive or not np.isfinite([own.se, own.reading_limit_per_um]).all():
        return text
    once, corrected = (t_needed(own.dof, LEVEL / n) for n in (1, len(noises) * n_pairs))
    slope = max(own.reading_limit_per_um, corrected * own.se) * _PER_100_UM
    half = np.ptp(own.mean_difference_ci95) / 2 * corrected / once
    mean = 100 * np.nanmax([own.mean_reading_limit, half])
    low, high = found.window_um
    if mean > _MOST_POINTS or slope * (high - low) / 100 > _MOST_POINTS:
        return f"{text} These planes are too few or too close together to show one."
    return (
        f"{text} One would be shown if {noise(first.component)} were {mean:.1f} points higher "
        f"on average with one of them, or rose {slope:.1f} points per 100 µm faster."
    )


# --- noises --------------------------------------------------------------------------------------


class _Terms:
    """Wording of differences: names of the protocols, depths, and what intervals cover."""

    def __init__(self, names: tuple[str, str], over: str, covered: str) -> None:
        self.names, self.over, self.covered = names, over, covered


def _pair_terms(found: Comparison) -> _Terms:
    low, high = found.window_um
    covered = "if this tissue were imaged again" if found.same_tissue else "for such tissues"
    over = f"Over the depths usable in both ({low:.0f} to {high:.0f} µm)"
    return _Terms(found.names, over, f" {covered}")


def _noises(effects: Effects, terms: _Terms) -> Iterator[str]:
    over = terms.over
    for effect in effects:
        if effect.difference.any_called:
            yield _difference(effect, terms, over)
            over = "Over the same depths"
    silent = [
        spoken(e.component)
        for e in effects
        if not (e.difference.any_called or e.component == CLEAN)
    ]
    if silent:
        yield f"Differences in {listed(silent)} noise cannot be told from chance or reading error."


def _difference(effect: ComponentEffect | ArmsEffect, terms: _Terms, over: str) -> str:
    """Return the sentence on a slope that is called, else on a mean."""
    found = effect.difference
    if found.called:
        value, ends, p = found.slope_difference_per_um, found.slope_difference_ci95, found.p_holm
        limit, scale = found.reading_limit_per_um, _PER_100_UM
        (verb, more), unit = _course(effect), "points per 100 µm"
    else:
        value, ends, p = found.mean_difference, found.mean_difference_ci95, found.mean_p_holm
        limit, scale = found.mean_reading_limit, _PER_CENT
        verb, unit, more = "is", "points", "higher on average"
    low, high = sorted(scale * np.copysign(end, end * value) for end in ends)
    return (
        f"{over}, {noise(effect.component)} {verb} {scale * abs(value):.1f} {unit} {more} "
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
    if any(each.photons is None for each in found.analysed):
        return ""  # of weights whose shot noise no power can hold
    profiles = [each.profile for each in found.analysed]
    used = most_used(profiles)
    if used is None:
        each = [np.isfinite(profile.power).any() for profile in profiles]
        what = "power of both stacks in the same unit" if all(each) else "power of each plane"
        return f"Next: state the {what}, so that a power can be recommended."
    if not FAINTEST <= found.options.level <= STRONGEST:
        held = f"{percent(FAINTEST)} to {percent(STRONGEST)}"
        return f"Next: choose a level of {held} shot noise, so that a power can be recommended."
    return (
        f"Next: get a recommended power that holds shot noise at {percent(found.options.level)} "
        f"without exceeding the {power_text(*used)} already used."
    )
