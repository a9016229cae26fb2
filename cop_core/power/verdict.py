"""A recommended power in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cop_core.power.held_quantity import SIGNAL
from cop_core.records import power_text

if TYPE_CHECKING:
    from cop_core.power.recommendation import Recommendation


def verdict_of(found: Recommendation) -> str:
    """Return which power to use, from where to where, and where the limit ends it."""
    held, limit = found.held, power_text(found.limit.max_power, found.unit)
    if not found.energy.planes:
        easier = "lower" if held.name == SIGNAL else "higher"
        return (
            f"No plane reaches a {held.label} of {held.text(found.level)} within the limit of "
            f"{limit}: choose a {easier} level. Nearest to it is {_course(found)}."
        )
    text = (
        f"To hold the {held.label} at {held.text(found.level)}, "
        f"{'use' if _constant(found) else 'go from'} {_course(found)}"
    )
    if found.cap_depth_um is None:
        return f"{text}: the limit of {limit} is not reached."
    cap = found.cap_depth_um
    return (
        f"{text}: from {cap:.0f} µm on, the limit of {limit} applies and the level cannot be held."
    )


def _course(found: Recommendation) -> str:
    """Return the power at both ends, once where it is the same at all depths."""
    (first, last), ends = found.depth_um[[0, -1]], found.power[[0, -1]]
    low, high = (power_text(power, found.unit) for power in ends)
    if _constant(found):
        return f"{low} from {first:.0f} to {last:.0f} µm"
    return f"{low} at {first:.0f} µm to {high} at {last:.0f} µm"


def _constant(found: Recommendation) -> bool:
    return bool(np.ptp(found.power) == 0)
