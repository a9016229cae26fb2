"""A recommended power in two or three sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.power.held_quantity import SIGNAL
from cop_core.records import power_text

if TYPE_CHECKING:
    from cop_core.power.recommendation import Recommendation

FEWEST: Final = 3
"""Planes: an exponential law passes through any two."""


def verdict_of(found: Recommendation) -> str:
    """Return the power to use over depth, and the depths at which it cannot hold the level."""
    held, limit = found.held, power_text(found.limit.max_power, found.unit)
    if not found.energy.planes:
        easier = "lower" if held.name == SIGNAL else "higher"
        return (
            f"No plane reaches a {held.label} of {held.text(found.level)} within the limit of "
            f"{limit}: choose a {easier} level. The power that comes closest is {_course(found)}."
        )
    assumed = " (three-photon excitation assumed)" if found.attenuation.order_assumed else ""
    text = (
        f"To hold {held.subject} at {held.text(found.level)}{assumed}, "
        f"{'use' if _constant(found) else 'go from'} {_course(found)}"
    )
    obstacles = "; ".join(_obstacles(found)) or f"the limit of {limit} is not reached"
    return " ".join(filter(None, (f"{text}: {obstacles}.", _law(found))))


def _obstacles(found: Recommendation) -> Iterator[str]:
    """Yield where and why the power stays below that needed for the level."""
    if found.slowed.any():
        where, why = found.depths_text(found.slowed), rise_text(found)
        yield f"{where}, {why} and the level cannot be held"
    if found.at_limit.any():
        where = found.depths_text(found.at_limit) if _full_from_um(found) is None else "deeper"
        yield f"{where}, {limit_text(found)} and the level cannot be held"


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
    """Return the power at which it begins and ends to change, or once if it is constant."""
    (first, last), ends = found.depth_um[[0, -1]], found.power[[0, -1]]
    low, high = (power_text(power, found.unit) for power in ends)
    if _constant(found):
        return f"{low} from {first:.0f} to {last:.0f} µm"
    full = _full_from_um(found)
    return f"{low} at {first:.0f} µm to {high} at {last if full is None else full:.0f} µm"


def _full_from_um(found: Recommendation) -> float | None:
    """Return the depth in µm from which on the power stays at its maximum; None if it does not."""
    planes = found.at_limit
    starts_lower, ends_there = not planes[0], planes[int(np.argmax(planes)) :].all()
    return found.cap_depth_um if starts_lower and ends_there else None


def _law(found: Recommendation) -> str:
    """Return the exponential law that microscopes are given, nowhere short of the level."""
    energy, largest = found.energy, found.limit.max_power
    p0, length = energy.exponential_p0, energy.exponential_length_um
    if energy.planes < FEWEST or not np.isfinite(length) or found.slowed.any():
        return ""
    first, last = found.depth_um[[0, -1]]
    end_um = min(last, length * np.log(largest / p0))
    ends = (
        f"{power_text(p0 * np.exp(z / length), found.unit)} at {z:.0f} µm" for z in (first, end_um)
    )
    excess = f"{energy.exponential / energy.recommended - 1:.0%}".replace("%", " %")
    return (
        f"As an exponential law: from {' to '.join(ends)}, with a length constant of "
        f"{length:.0f} µm; this takes {'no' if excess == '0 %' else excess} more light."
    )


def _constant(found: Recommendation) -> bool:
    return bool(np.ptp(found.power) == 0)
