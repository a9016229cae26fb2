"""What can be watched: a path that is written to, a layer that grows."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.recipes import StackOptions
from cop_core.stacks.growing import GrowingArray, SettledPlanes
from napari_cop.sources import ChosenStack, layer_stack
from napari_cop.viewer_link import Following

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from napari.layers import Image

    from cop_core.stacks import growing

_UNKNOWN: Final = np.empty(0)


def missing_for_acquisitions() -> str:
    """Return what is to be installed for Micro-Manager; empty where nothing is."""
    lacking = [name for name in ("pymmcore_plus", "useq") if find_spec(name) is None]
    if not lacking:
        return ""
    return f'{" and ".join(lacking)} not installed: pip install "napari-cop[live]"'


class Feed:
    """A stack to watch: where its planes come from, and what shows it in the viewer.

    All but `open` are called in the window's thread.

    Attributes
    ----------
    depth_um : ndarray of shape (planes,)
        Depths in µm of the planes to come; empty where not known.
    """

    def __init__(self, name: str, depth_um: npt.NDArray[np.float64] = _UNKNOWN) -> None:
        self.name, self.depth_um = name, depth_um

    def open(
        self, tell: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> growing.Source | None:
        """Return the source, ready for frames; None where the recipe says what to follow.

        In the reading thread, before the network is loaded.
        """
        raise NotImplementedError

    def came(self, planes: int) -> None:
        """Show what came, where that is ours to do."""

    def shown(self) -> ChosenStack:
        """Return what shows it in the viewer, or can."""
        raise NotImplementedError

    def ended(self) -> None:
        """Let go of what only a run needs."""

    def close(self) -> None:
        """Let go of everything; calling it again does nothing."""


class FileFeed(Feed):
    """A file or folder that is being written, and need not exist yet."""

    def __init__(self, chosen: ChosenStack) -> None:
        super().__init__(chosen.options.name or Path(chosen.options.source or "").name)
        self._chosen = chosen

    def open(
        self, tell: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> growing.Source | None:
        """Return None: the recipe names the file."""
        return None

    def shown(self) -> ChosenStack:
        """Return the file."""
        return self._chosen


class LayerFeed(Feed):
    """A layer of the viewer that grows.

    Parameters
    ----------
    stopped_after_s : float
        Time in s without a plane after which it is said to have stopped growing.
    """

    def __init__(self, layer: Image, how: dict[str, Any], stopped_after_s: float) -> None:
        self.layer: Image | None = layer
        self._how, self._stopped_after_s = how, stopped_after_s
        now = layer_stack(layer, **how, as_pixels=True)
        super().__init__(str(now.options.name))
        # not the powers that the layer states: they are of the planes that it has now
        options = how["asked"].but(name=self.name)
        self._array = GrowingArray(now.pixels, options, source=f"layer {self.name!r}")
        self._following = Following()
        self._following.on(layer.events.data, self._changed)

    def open(
        self, tell: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> growing.Source | None:
        """Return the source."""
        return SettledPlanes(self._array, self._stopped_after_s)

    def removed(self) -> None:
        """Let go of a layer that was removed; what it held until then is still read."""
        self._following.end()
        self._array.end()
        self.layer = None

    def shown(self) -> ChosenStack:
        """Return the layer with its pixels as they are now, or a stack without any."""
        # never the layer's file: it says nothing of planes that come later
        if self.layer is None:
            return ChosenStack(StackOptions(name=self.name))
        return layer_stack(self.layer, **self._how, as_pixels=True)

    def ended(self) -> None:
        """Let go of the layer."""
        self.removed()
        self._array.close()

    def close(self) -> None:
        """Let go of the layer."""
        self.ended()

    def _changed(self) -> None:
        self._array.put(self.shown().pixels)
