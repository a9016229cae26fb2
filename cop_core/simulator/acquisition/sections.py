"""Sections of the phantom, rendered once and kept."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.stacks.growing.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cop_core.simulator import Microscope
    from cop_core.simulator.spheres import FloatArray

MOST_KEPT: Final = 2000
"""Depths that are kept; further ones are rendered whenever they are imaged."""


class Sections:
    """What a microscope resolves of its phantom, by depth.

    A section takes longer to render than to expose (about 0.2 s against 0.04 s at 512x512), so
    each is rendered once, when it is first imaged or ahead, and kept in a temporary file.

    Parameters
    ----------
    microscope : Microscope
        Renders them.
    """

    def __init__(self, microscope: Microscope) -> None:
        self._microscope = microscope
        self._kept = Spool(microscope.phantom.shape, np.float32)
        self._index: dict[float, int] = {}
        self._lock = Lock()

    def at(self, depth_um: float) -> FloatArray:
        """Return the concentration in one plane, shape (height, width)."""
        with self._lock:
            if depth_um in self._index:
                return self._kept[self._index[depth_um]]
            section = self._microscope.concentration(depth_um)
            if len(self._kept) < MOST_KEPT:
                self._kept.append(section)
                self._index[depth_um] = len(self._kept) - 1
            return section

    def render(
        self,
        depths_um: Iterable[float],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> None:
        """Render sections ahead of their acquisition; progress is told how many are done."""
        for done, depth_um in enumerate(depths_um, start=1):
            self.at(depth_um)
            progress(done)

    def close(self) -> None:
        """Remove the file."""
        self._kept.close()
