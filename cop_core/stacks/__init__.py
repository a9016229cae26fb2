"""Stacks: a file or an array to planes, one at a time, with depth, power and validity."""

from __future__ import annotations

from cop_core.stacks._given import AS_FILE, POWER_ARRAY
from cop_core.stacks.model import Plane, Stack
from cop_core.stacks.open import open_stack
from cop_core.stacks.power import (
    GainedPower,
    constant,
    gained,
    interpolate,
    resolve_power,
)
from cop_core.stacks.power_table import read_power_table
from cop_core.stacks.validity import Validity, check_plane

__all__ = [
    "AS_FILE",
    "POWER_ARRAY",
    "GainedPower",
    "Plane",
    "Stack",
    "Validity",
    "check_plane",
    "constant",
    "gained",
    "interpolate",
    "open_stack",
    "read_power_table",
    "resolve_power",
]
