"""Sentences on the power at which the stacks of each protocol were taken."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.records import ArmsComparison, Comparison, power_text
from cop_core.statistics.depth_order import by_depth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.records import DepthProfile

    Stacks = Mapping[str, Sequence[DepthProfile]]

_WRITTEN: Final = Context(prec=4, rounding=ROUND_DOWN)
_ALIKE: Final = 0.01  # of the power at a depth: tables with other steps differ by less


def powers_of(pairs: Sequence[Comparison | ArmsComparison]) -> str:
    """Return a sentence on the power of each protocol; empty where none is known."""
    stacks = _stacks_of(pairs)
    said = {name: _power(profiles) for name, profiles in stacks.items()}
    if not any(said.values()):
        return ""
    every = list(chain(*stacks.values()))
    if len(set(said.values())) == 1 and all(map(_stated, every)):
        number = "both" if len(said) == 2 else "all"
        how = f" in {number}" if _one_course(every) else f" in {number}, along different curves"
        return f"Power: {said.popitem()[1]}{how}."
    each = [f"{power or 'not known'} ({name})" for name, power in said.items()]
    return f"Power: {', '.join(each)}."


def most_used(profiles: Sequence[DepthProfile]) -> tuple[float, str] | None:
    """Return the highest power and its unit; None where it is not known in one unit.

    It is rounded down to four digits, since no more power was used.
    """
    powers = np.concatenate([profile.power for profile in profiles])
    units = {profile.power_unit for profile in profiles}
    if len(units) > 1 or not np.isfinite(powers).any():
        return None
    highest = f"{np.nanmax(powers):.9g}"  # 60 where arithmetic made it a hair less
    return float(_WRITTEN.create_decimal(highest)), units.pop()


def _stacks_of(pairs: Sequence[Comparison | ArmsComparison]) -> Stacks:
    stacks: dict[str, Sequence[DepthProfile]] = {}
    for found in pairs:
        if isinstance(found, Comparison):
            stacks |= {each.name: [each.profile] for each in found.analysed}
        else:
            stacks |= zip(found.names, (found.first, found.second), strict=True)
    return stacks


def _power(profiles: Sequence[DepthProfile]) -> str:
    """Return the power of the stacks of one protocol; empty if it is unknown for any."""
    courses = [by_depth(profile.depth_um, profile.power)[1] for profile in profiles]
    units = {profile.power_unit for profile in profiles}
    if len(units) > 1 or not all(map(len, courses)):
        return ""
    powers, unit = np.concatenate(courses), units.pop()
    low, high = powers.min(), powers.max()
    said, stated = power_text(low, unit, to=high), all(map(_stated, profiles))
    where = "" if stated else " where it is known"
    if said == power_text(low, unit):
        return f"{said}{where or ' at all depths'}"
    rises = all((np.diff(course) >= 0).all() and np.ptp(course) > 0 for course in courses)
    return f"{'rising with depth from ' if rises else ''}{said}{where}"


def _stated(profile: DepthProfile) -> bool:
    """Return whether the power of every plane is known."""
    return bool(np.isfinite(profile.power).all())


def _one_course(profiles: Sequence[DepthProfile]) -> bool:
    """Return whether stacks were acquired with the same power at equal depths."""
    courses = [by_depth(profile.depth_um, profile.power) for profile in profiles]
    depths_um = np.concatenate([depth_um for depth_um, _ in courses])
    powers = np.array([np.interp(depths_um, *course) for course in courses])
    return bool((np.ptp(powers, axis=0) <= _ALIKE * powers.max(axis=0)).all())
