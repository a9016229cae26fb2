"""Live: stacks that grow while they are read.

`LiveReading` is loaded when first used, as it brings PyTorch, which sources do without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cop_core.live.growing import STOPPED_AFTER_S, open_growing
from cop_core.live.source import Source, State
from cop_core.live.step import LiveStep

if TYPE_CHECKING:
    from cop_core.live.reading import LiveReading

__all__ = ["STOPPED_AFTER_S", "LiveReading", "LiveStep", "Source", "State", "open_growing"]


def __getattr__(name: str) -> Any:
    if name == "LiveReading":
        return getattr(import_module("cop_core.live.reading"), name)
    raise AttributeError(f"module 'cop_core.live' has no attribute {name!r}")
