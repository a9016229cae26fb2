"""A recommended power in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cop_core.power.recommendation import Recommendation


def verdict_of(found: Recommendation) -> str:
    """Return which power to use, from where to where, and where the limit ends it."""
    held = found.held
    (first, last), (low, high) = found.depth_um[[0, -1]], found.power[[0, -1]]
    limit = f"{found.limit.max_power:g} {found.unit}"
    text = (
        f"To hold the {held.label} at {held.text(found.level)}, go from {low:.1f} {found.unit} at "
        f"{first:.0f} µm to {high:.1f} {found.unit} at {last:.0f} µm"
    )
    if found.cap_depth_um is None:
        return f"{text}: the limit of {limit} is not reached."
    cap = found.cap_depth_um
    return (
        f"{text}: from {cap:.0f} µm on, the limit of {limit} applies and the level cannot be held."
    )
