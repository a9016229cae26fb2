"""The two arms of a study compared, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.statistics.arms import MIN_STACKS, ArmsComparison, compare_arms
from cop_core.statistics.compare import Comparison, compare
from cop_core.statistics.component_effect import Choices
from cop_core.statistics.depth_window import within
from cop_core.study.cells import ARMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.statistics.depth_window import Window
    from cop_core.statistics.profile import DepthProfile
    from cop_core.study.plan import Row
    from cop_core.study.run import StudyStack

DEFAULT: Final = Choices()


@dataclass(frozen=True)
class Member:
    """A stack of the study and its profile within the depths that count."""

    row: Row
    profile: DepthProfile


@dataclass(frozen=True)
class ChannelComparison:
    """Both arms of one channel, as far as they can be compared.

    Attributes
    ----------
    channel : str
        As the plan states it; empty where it does not.
    fixed, gained : tuple of Member
        The stacks that entered.
    choices : Choices
        How they are compared.
    left_out : tuple of (str, str)
        Place and reason of the stacks that did not.
    result : Comparison, ArmsComparison or None
        Descriptive for one stack an arm, with stacks (and animals) as random effects for
        several; None where they cannot be compared.
    note : str
        Why they cannot; empty where they can.
    """

    channel: str
    fixed: tuple[Member, ...]
    gained: tuple[Member, ...]
    choices: Choices
    left_out: tuple[tuple[str, str], ...]
    result: Comparison | ArmsComparison | None
    note: str = ""


def compare_channels(
    stacks: Sequence[StudyStack],
    *,
    window_um: Window | None = None,
    choices: Choices = DEFAULT,
) -> tuple[ChannelComparison, ...]:
    """Compare the arms of a study in every channel that its plan names.

    Channels of one stack are not independent, so they are never pooled.

    Parameters
    ----------
    stacks : sequence of StudyStack
        From `run_study`.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in um that enter.
    choices : Choices
        Rule and margin; seed and errors where there is one stack an arm.

    Returns
    -------
    tuple of ChannelComparison
        In the order in which the plan first names the channels.
    """
    channels = dict.fromkeys(s.row.channel for s in stacks)
    return tuple(
        _compare(channel, [s for s in stacks if s.row.channel == channel], window_um, choices)
        for channel in channels
    )


def windowed(stack: StudyStack, window_um: Window | None) -> DepthProfile:
    """Return the profile of a finished stack, called by its place, within a window.

    Raises
    ------
    InputError
        The stack failed, or no plane of it lies in the window.
    """
    if stack.profile is None:
        raise InputError("it failed", advice="Its error stands with the stack")
    profile = replace(stack.profile, name=stack.row.place)
    return profile if window_um is None else within(profile, window_um)


def _compare(
    channel: str, stacks: Sequence[StudyStack], window_um: Window | None, choices: Choices
) -> ChannelComparison:
    members: list[Member] = []
    left_out: list[tuple[str, str]] = []
    for stack in stacks:
        try:
            members.append(Member(stack.row, _usable(windowed(stack, window_um))))
        except InputError as error:
            left_out.append((stack.row.place, error.what))
    fixed, gained = (tuple(m for m in members if m.row.arm == arm) for arm in ARMS)
    result, note = None, ""
    try:
        result = _result(fixed, gained, choices)
    except InputError as error:
        note = str(error)
    return ChannelComparison(channel, fixed, gained, choices, tuple(left_out), result, note)


def _usable(profile: DepthProfile) -> DepthProfile:
    """Return a profile that lines can be drawn through."""
    if not np.isfinite(profile.depth_um).all():
        raise InputError("its depths are not known", advice="Give its z step in the plan")
    if profile.kept.sum() < 3:
        raise InputError("it has fewer than 3 planes that can be used")
    return profile


def _result(
    fixed: tuple[Member, ...], gained: tuple[Member, ...], choices: Choices
) -> Comparison | ArmsComparison:
    first, second = ([m.profile for m in arm] for arm in (fixed, gained))
    if len(fixed) == len(gained) == 1:
        return compare(first[0], second[0], **vars(choices))
    if min(len(fixed), len(gained)) < MIN_STACKS:
        raise InputError(
            f"{len(fixed)} fixed and {len(gained)} gained stacks cannot be compared",
            advice=f"One in each arm is described, {MIN_STACKS} or more in each are compared",
        )
    owners = [m.row.animal for m in fixed], [m.row.animal for m in gained]
    return compare_arms(
        first,
        second,
        animals=owners if owners[0][0] else None,
        rule=choices.rule,
        margin_per_100_um=choices.margin_per_100_um,
    )
