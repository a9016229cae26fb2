"""Feeds to watch: a path that is being written, a layer that grows."""

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
    """Return the packages missing for Micro-Manager; empty if none is."""
    lacking = [name for name in ("pymmcore_plus", "useq") if find_spec(name) is None]
    if not lacking:
        return ""
    return f'{" and ".join(lacking)} not installed: pip install "napari-cop[live]"'


class Feed:
    """A stack to watch: the source of its planes, and its display in the viewer.

    All methods except `open` are called in the thread of the window.

    Attributes
    ----------
    depth_um : ndarray of shape (planes,)
        Depths in µm of the planes to come; empty if not known.
    """

    def __init__(self, name: str, depth_um: npt.NDArray[np.float64] = _UNKNOWN) -> None:
        self.name, self.depth_um = name, depth_um

    def open(
        self, tell: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> growing.Source | None:
        """Return the source, ready for frames; None if the recipe names it.

        In the reading thread, before the network is loaded.
        """
        raise NotImplementedError

    def came(self, planes: int) -> None:
        """Show new planes, if the feed is responsible for that."""

    def shown(self) -> ChosenStack:
        """Return the stack that shows it in the viewer, or can."""
        raise NotImplementedError

    def ended(self) -> None:
        """Release the resources of a run."""

    def close(self) -> None:
        """Release everything; further calls do nothing."""


class FileFeed(Feed):
    """A file or folder that is being written; it need not exist yet."""

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
        Time in s without a new plane after which it counts as stopped.
    """

    def __init__(self, layer: Image, how: dict[str, Any], stopped_after_s: float) -> None:
        self.layer: Image | None = layer
        self._how, self._stopped_after_s = how, stopped_after_s
        now = layer_stack(layer, **how, as_pixels=True)
        super().__init__(str(now.options.name))
        # not the powers stated by the layer: they are for its present planes only
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
        """Release a layer that was removed; its planes up to then are still read."""
        self._following.end()
        self._array.end()
        self.layer = None

    def shown(self) -> ChosenStack:
        """Return the layer with its present pixels, or a stack without any."""
        # never the layer's file, which does not have later planes
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
