"""The two arms of a study compared, channel by channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cop_core.errors import InputError
from cop_core.recipes import USABLE_STRENGTH, ComparisonOptions, Window
from cop_core.records import (
    ArmsComparison,
    ChannelComparison,
    Comparison,
    DepthProfile,
    StudyStackRecord,
)
from cop_core.statistics.analysis import analyse
from cop_core.statistics.arms import MIN_STACKS, compare_arms
from cop_core.statistics.compare import compare_analysed
from cop_core.statistics.depths import within

_MIN_PLANES = 3


def analyse_stack(
    stack: StudyStackRecord,
    window_um: Window | None = None,
    *,
    level: float = USABLE_STRENGTH,
) -> StudyStackRecord:
    """Work out what the profile of a stack of a study says within the depths that count."""
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
    alone = ChannelComparison(channel, stacks, None)
    try:
        return replace(alone, result=_result(alone, options))
    except InputError as error:
        return replace(alone, note=str(error))


def _why_unusable(profile: DepthProfile) -> str:
    """Return why lines through a profile say nothing; empty where they do."""
    if not np.isfinite(profile.depth_um).all():
        return "its depths are not known"
    if profile.kept.sum() < _MIN_PLANES:
        return f"it has fewer than {_MIN_PLANES} planes that can be used"
    return ""


def _result(channel: ChannelComparison, options: ComparisonOptions) -> Comparison | ArmsComparison:
    arms = channel.fixed, channel.gained
    first, second = ([s.analysed for s in arm if s.analysed] for arm in arms)
    if len(first) == len(second) == 1:
        return compare_analysed(first[0], second[0], options)
    if min(len(first), len(second)) < MIN_STACKS:
        raise InputError(
            f"{len(first)} fixed and {len(second)} gained stacks cannot be compared",
            advice=f"One in each arm is described, {MIN_STACKS} or more in each are compared",
        )
    owners = [s.row.animal for s in arms[0]], [s.row.animal for s in arms[1]]
    return compare_arms(
        [each.profile for each in first],
        [each.profile for each in second],
        options,
        animals=owners if owners[0][0] else None,
    )
