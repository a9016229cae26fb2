"""Stacks: from a file or an array to single planes with depth, power and validity."""

from cop_core.stacks.detector_file import detector_of, read_detector
from cop_core.stacks.model import Plane, Stack
from cop_core.stacks.movie import open_movie
from cop_core.stacks.open import as_stack, open_stack
from cop_core.stacks.power import resolve_power
from cop_core.stacks.power_table import read_power_table
from cop_core.stacks.validity import Validity, check_plane

__all__ = [
    "Plane",
    "Stack",
    "Validity",
    "as_stack",
    "check_plane",
    "detector_of",
    "open_movie",
    "open_stack",
    "read_detector",
    "read_power_table",
    "resolve_power",
]
