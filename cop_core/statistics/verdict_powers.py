"""What the names of protocols stand for, in words: at which power their stacks were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.records import ArmsComparison, Comparison, power_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.records import DepthProfile

    Stacks = Mapping[str, Sequence[DepthProfile]]


def powers_of(pairs: Sequence[Comparison | ArmsComparison]) -> str:
    """Return a sentence on the power of each protocol; empty where none is known."""
    said = {name: _power(profiles) for name, profiles in _stacks_of(pairs).items()}
    if not any(said.values()):
        return ""
    if len(set(said.values())) == 1:
        return f"Power: {next(iter(said.values()))}, {'both' if len(said) == 2 else 'all'} alike."
    each = [f"{power or 'not known'} ({name})" for name, power in said.items()]
    return f"Power: {', '.join(each)}."


def most_used(profiles: Sequence[DepthProfile]) -> tuple[float, str] | None:
    """Return the highest power and its unit; None where it is not known in one unit."""
    powers = np.concatenate([profile.power for profile in profiles])
    units = {profile.power_unit for profile in profiles}
    if len(units) > 1 or not np.isfinite(powers).any():
        return None
    return float(np.nanmax(powers)), units.pop()


def _stacks_of(pairs: Sequence[Comparison | ArmsComparison]) -> Stacks:
    stacks: dict[str, Sequence[DepthProfile]] = {}
    for found in pairs:
        if isinstance(found, Comparison):
            stacks |= {each.name: [each.profile] for each in found.analysed}
        else:
            stacks |= zip(found.names, (found.first, found.second), strict=True)
    return stacks


def _power(profiles: Sequence[DepthProfile]) -> str:
    """Return the power of stacks of one protocol; empty where it is not known of each."""
    courses = [_along_depth(profile) for profile in profiles]
    units = {profile.power_unit for profile in profiles}
    if len(units) > 1 or not all(map(len, courses)):
        return ""
    powers, unit = np.concatenate(courses), units.pop()
    low, high = powers.min(), powers.max()
    said = power_text(low, unit, to=high)
    if said == power_text(low, unit):
        return f"{said} at all depths"
    rises = all((np.diff(course) >= 0).all() and np.ptp(course) > 0 for course in courses)
    return f"{'rising with depth from ' if rises else ''}{said}"


def _along_depth(profile: DepthProfile) -> npt.NDArray[np.float64]:
    """Return the known powers of a stack, the shallowest plane first."""
    known = np.isfinite(profile.power)
    order = np.argsort(profile.depth_um[known], kind="stable")
    return np.asarray(profile.power[known][order])
