"""The grid of crops in which planes are read."""

from __future__ import annotations

import math
from typing import Final

CROP: Final = 192
"""Side of the square crops that the networks read, in pixels."""

SMALL: Final = "smaller than a crop"
"""Flag of planes smaller than a crop."""


def grid_starts(length: int, crop: int = CROP) -> list[int]:
    """Return the starts of windows that cover a side; the last is shifted inwards to fit."""
    count = max(1, math.ceil(length / crop))
    return [min(i * crop, max(0, length - crop)) for i in range(count)]
