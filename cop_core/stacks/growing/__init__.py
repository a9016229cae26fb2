"""Stacks that grow while they are read."""

from cop_core.records import State
from cop_core.stacks.growing.arrays import GrowingArray
from cop_core.stacks.growing.files import open_growing
from cop_core.stacks.growing.settled import STOPPED_AFTER_S, SettledPlanes
from cop_core.stacks.growing.source import Source

__all__ = [
    "STOPPED_AFTER_S",
    "GrowingArray",
    "SettledPlanes",
    "Source",
    "State",
    "open_growing",
]
