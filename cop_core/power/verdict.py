"""A recommended power in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from cop_core.power.held_quantity import SIGNAL
from cop_core.records import power_text

if TYPE_CHECKING:
    from cop_core.power.recommendation import Recommendation


def verdict_of(found: Recommendation) -> str:
    """Return the power to use over depth, and the depths at which it cannot hold the level."""
    held, limit = found.held, power_text(found.limit.max_power, found.unit)
    if not found.energy.planes:
        easier = "lower" if held.name == SIGNAL else "higher"
        return (
            f"No plane reaches a {held.label} of {held.text(found.level)} within the limit of "
            f"{limit}: choose a {easier} level. The power that comes closest is {_course(found)}."
        )
    text = (
        f"To hold {held.subject} at {held.text(found.level)}, "
        f"{'use' if _constant(found) else 'go from'} {_course(found)}"
    )
    obstacles = list(_obstacles(found))
    if not obstacles:
        return f"{text}: the limit of {limit} is not reached."
    return f"{text}: {'; '.join(obstacles)}."


def _obstacles(found: Recommendation) -> Iterator[str]:
    """Yield where and why the power stays below that needed for the level."""
    for planes, why in ((found.slowed, rise_text(found)), (found.at_limit, limit_text(found))):
        if planes.any():
            yield f"{found.depths_text(planes)}, {why} and the level cannot be held"


def limit_text(found: Recommendation) -> str:
    """Return that the power is at its maximum, as a clause."""
    return f"the limit of {power_text(found.limit.max_power, found.unit)} applies"


def rise_text(found: Recommendation) -> str:
    """Return the largest allowed increase as a clause; empty without one."""
    rise = found.limit.max_rise
    if rise is None:
        return ""
    return f"the power may increase by at most {power_text(rise, found.unit)} per plane"


def _course(found: Recommendation) -> str:
    """Return the power at both ends, or once if it is the same at all depths."""
    (first, last), ends = found.depth_um[[0, -1]], found.power[[0, -1]]
    low, high = (power_text(power, found.unit) for power in ends)
    if _constant(found):
        return f"{low} from {first:.0f} to {last:.0f} µm"
    return f"{low} at {first:.0f} µm to {high} at {last:.0f} µm"


def _constant(found: Recommendation) -> bool:
    return bool(np.ptp(found.power) == 0)
