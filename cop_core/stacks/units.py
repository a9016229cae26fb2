"""Conversion of lengths in metadata, in any unit, to µm."""

from __future__ import annotations

import math
from typing import Any, Final

_UM_PER_UNIT: Final = {
    "angstrom": 1e-4,
    "å": 1e-4,
    "pm": 1e-6,
    "picometer": 1e-6,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "micron": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "inch": 25_400.0,
    "in": 25_400.0,
}


def um_per_unit(unit: object) -> float | None:
    """Length of one unit in µm; None if the unit is unknown or not a length."""
    if not isinstance(unit, str):
        return None
    # ImageJ writes the micro sign escaped, as six ASCII characters
    name = unit.strip().replace("\\u00B5", "µ").replace("\\u00b5", "µ")
    key = name.lower().replace("metre", "meter")
    return _UM_PER_UNIT.get(key, _UM_PER_UNIT.get(key.removesuffix("s")))


def number(value: Any) -> float | None:
    """Read a finite number from metadata; None if it is not one."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        return None  # Python reads 2_5, a damaged 2.5, as 25
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def length_um(value: Any, unit: object) -> float | None:
    """Convert a length to µm, keeping its sign; None if value or unit is not known."""
    found, factor = number(value), um_per_unit(unit)
    return None if found is None or factor is None else found * factor


def step_um(value: Any, unit: object) -> float | None:
    """Convert a sampling distance to µm, without sign; None if 0 or not stated.

    Depth needs only the distance; `negative` reports the sign.
    """
    found = length_um(value, unit)
    return abs(found) if found else None


def negative(value: Any) -> bool:
    """Return whether metadata state a number with a minus sign."""
    return (number(value) or 0) < 0
