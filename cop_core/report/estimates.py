"""Estimates as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cop_core.records import Estimate

_DIGITS: Final = 2
"""Significant digits of the half width of an interval."""
_EXACT: Final = 1000.0
"""Precision shown for a number without an interval, as a share of it: one part in this."""


def interval_texts(estimate: Estimate) -> tuple[str, str, str]:
    """Return a number and the ends of its interval with as many digits as the interval allows."""
    low, high = estimate.ci95
    width = (high - low) / 2 or abs(estimate.value) / _EXACT or 1.0
    places = max(0, _DIGITS - 1 - math.floor(math.log10(width)))
    value, lowest, highest = (f"{x:.{places}f}" for x in (estimate.value, low, high))
    return value, lowest, highest
