"""A recommended power in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cop_core.power.recommendation import Recommendation


def verdict_of(found: Recommendation) -> str:
    """Return which power to use, from where to where, and where the limit ends it."""
    held = found.held
    (first, last), (low, high) = found.depth_um[[0, -1]], found.power_mw[[0, -1]]
    text = (
        f"To hold the {held.label} at {held.text(found.level)}, go from {low:.1f} mW at "
        f"{first:.0f} um to {high:.1f} mW at {last:.0f} um"
    )
    if found.cap_depth_um is None:
        return f"{text}: the limit of {found.limit.max_mw:g} mW is not reached."
    limit, cap = found.limit.max_mw, found.cap_depth_um
    return f"{text}: from {cap:.0f} um on the limit of {limit:g} mW holds, and the level is lost."
