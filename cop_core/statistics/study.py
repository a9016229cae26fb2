"""The arms of a study compared pair by pair, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cop_core.errors import InputError
from cop_core.recipes import USABLE_STRENGTH, ComparisonOptions, Window
from cop_core.recipes.plan import doubtful_arms
from cop_core.recipes.terms import in_flags
from cop_core.records import (
    Arm,
    ArmPair,
    ArmsComparison,
    ChannelComparison,
    Comparison,
    DepthProfile,
    StudyStackRecord,
)
from cop_core.statistics.analysis import analyse
from cop_core.statistics.arms import MIN_STACKS, compare_arms
from cop_core.statistics.calls import called_together
from cop_core.statistics.compare import compare_analysed, concluded
from cop_core.statistics.depths import within
from cop_core.statistics.significance import holm
from cop_core.statistics.verdict import verdict_of_arms, verdict_of_several
from cop_core.statistics.verdict_of_stack import cautions_on_all
from cop_core.statistics.verdict_words import joined
from cop_core.words import listed

if TYPE_CHECKING:
    from cop_core.recipes.comparison import Rule

_MIN_PLANES = 3
_NAN = float("nan")


def analyse_stack(
    stack: StudyStackRecord,
    window_um: Window | None = None,
    *,
    level: float = USABLE_STRENGTH,
) -> StudyStackRecord:
    """Analyse the profile of a study's stack within the depths that are compared."""
    if stack.profile is None:
        return replace(stack, left_out="it failed")
    profile = replace(stack.profile, name=stack.row.place)
    try:
        profile = profile if window_um is None else within(profile, window_um)
    except InputError as error:
        return replace(stack, left_out=error.what)
    return replace(stack, analysed=analyse(profile, level=level), left_out=_why_unusable(profile))


def compare_channels(
    stacks: tuple[StudyStackRecord, ...], options: ComparisonOptions | None = None
) -> tuple[ChannelComparison, ...]:
    """Compare the arms of a study in every channel that its stacks name.

    Channels of one stack are not independent, so they are never pooled.

    Parameters
    ----------
    stacks : tuple of StudyStackRecord
        From `analyse_stack`.
    options : ComparisonOptions, optional
        How they are compared.

    Returns
    -------
    tuple of ChannelComparison
        In the order in which the stacks first name the channels.
    """
    chosen = options or ComparisonOptions()
    return tuple(
        _compare(channel, tuple(s for s in stacks if s.row.channel == channel), chosen)
        for channel in dict.fromkeys(s.row.channel for s in stacks)
    )


def _compare(
    channel: str, stacks: tuple[StudyStackRecord, ...], options: ComparisonOptions
) -> ChannelComparison:
    arms = [
        Arm(name, tuple(s for s in stacks if s.row.arm == name and not s.left_out))
        for name in dict.fromkeys(s.row.arm for s in stacks)
    ]
    if len(arms) < 2:
        note = f"all stacks have the same protocol, {arms[0].name}"
        return ChannelComparison(channel, stacks, tuple(arms), (), note=note)
    compared = [_compare_pair(*two, arms, options) for two in combinations(arms, 2)]
    pairs = _corrected(compared, options.rule) if len(arms) > 2 else tuple(compared)
    doubts = (f"Caution: {doubt}" for doubt in doubtful_arms(stack.row for stack in stacks))
    verdict = joined(*doubts, _verdict(pairs, arms))
    return ChannelComparison(channel, stacks, tuple(arms), pairs, verdict=verdict)


def _compare_pair(
    first: Arm, second: Arm, arms: Sequence[Arm], options: ComparisonOptions
) -> ArmPair:
    others = [arm for arm in arms if arm not in (first, second) and len(arm.stacks) >= MIN_STACKS]
    among = [profile for arm in others for profile in _profiles(arm)]
    try:
        return ArmPair(first, second, _result(first, second, among, options))
    except InputError as error:
        return ArmPair(first, second, None, note=in_flags(error))


def _corrected(pairs: Sequence[ArmPair], rule: Rule) -> tuple[ArmPair, ...]:
    """Return pairs with p corrected over all of them, and the differences called."""
    found = [pair.result for pair in pairs if pair.result]
    effects = called_together([result.effects for result in found], rule)
    levels, signals = (
        holm(
            [
                getattr(result, key).p_value if isinstance(result, ArmsComparison) else _NAN
                for result in found
            ]
        )
        for key in ("level", "signal")
    )
    known = iter(zip(found, effects, levels, signals, strict=True))
    return tuple(
        replace(pair, result=_concluded(*next(known))) if pair.result else pair for pair in pairs
    )


def _concluded(
    found: Comparison | ArmsComparison, effects: Any, p_level: float, p_signal: float
) -> Comparison | ArmsComparison:
    if isinstance(found, Comparison):
        return concluded(replace(found, effects=effects))
    level = replace(found.level, p_holm=p_level)
    signal = replace(found.signal, p_holm=p_signal)
    again = replace(found, effects=effects, level=level, signal=signal)
    return replace(again, verdict=verdict_of_arms(again))


def _verdict(pairs: Sequence[ArmPair], arms: Sequence[Arm]) -> str:
    """Return the verdict on all pairs, cautions first; pairs not compared state why."""
    known = [pair.result for pair in pairs if pair.result]
    unknown = [
        f"{pair.first.name} and {pair.second.name} are not compared: {_bare(pair.note)}."
        for pair in pairs
        if not pair.result
    ]
    if not known:
        return f"Not compared: {pairs[0].note}" if len(pairs) == 1 else " ".join(unknown)
    if len(pairs) == 1 and isinstance(known[0], Comparison):
        return known[0].verdict
    answer = known[0].verdict if len(pairs) == 1 else verdict_of_several(known)
    return joined(_cautions(arms), answer, *unknown)


def _bare(note: str | None) -> str:
    """Return a note without its full stop."""
    return (note or "").removesuffix(".")


def _cautions(arms: Sequence[Arm]) -> str:
    return cautions_on_all(s.analysed for arm in arms for s in arm.stacks if s.analysed)


def _profiles(arm: Arm) -> list[DepthProfile]:
    return [stack.analysed.profile for stack in arm.stacks if stack.analysed]


def _why_unusable(profile: DepthProfile) -> str:
    """Return why lines through a profile are uninformative; empty if they are not."""
    if not np.isfinite(profile.depth_um).all():
        return "its depths are not known"
    if profile.kept.sum() < _MIN_PLANES:
        return f"it has fewer than {_MIN_PLANES} usable planes"
    return ""


def _result(
    first: Arm, second: Arm, among: Sequence[DepthProfile], options: ComparisonOptions
) -> Comparison | ArmsComparison:
    arms = first.stacks, second.stacks
    if len(arms[0]) == len(arms[1]) == 1:
        one, other = (
            replace(stack.analysed, name=arm.name)
            for arm in (first, second)
            for stack in arm.stacks
            if stack.analysed
        )
        return compare_analysed(one, other, options)
    if min(map(len, arms)) < MIN_STACKS:
        small = listed([arm.name for arm in (first, second) if len(arm.stacks) < MIN_STACKS])
        raise InputError(
            f"{len(arms[0])} {first.name} and {len(arms[1])} {second.name} stacks cannot be "
            "compared",
            advice=f"add stacks to {small}: arms of {MIN_STACKS} or more are compared, arms of one "
            "stack each are only described",
        )
    owners = [s.row.animal for s in arms[0]], [s.row.animal for s in arms[1]]
    return compare_arms(
        _profiles(first),
        _profiles(second),
        options,
        names=(first.name, second.name),
        animals=owners if owners[0][0] else None,
        among=among,
    )
