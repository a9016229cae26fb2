"""Stacks that grow while they are read."""

from cop_core.stacks.growing.files import STOPPED_AFTER_S, open_growing
from cop_core.stacks.growing.source import Source, State

__all__ = ["STOPPED_AFTER_S", "Source", "State", "open_growing"]
