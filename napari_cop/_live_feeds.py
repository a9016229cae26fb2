"""What can be watched: a path that is written to, a layer that grows."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.stacks.growing import GrowingArray, SettledPlanes
from napari_cop._following import Following
from napari_cop._sources import Source, file_source, layer_source

if TYPE_CHECKING:
    from collections.abc import Generator
    from threading import Event

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

    All but `open` and `begin` are called in the window's thread.

    Attributes
    ----------
    name : str
        What the stack is called.
    depth_um : ndarray of shape (planes,)
        Depths in um of the planes to come; empty where not known.
    """

    def __init__(self, name: str, depth_um: npt.NDArray[np.float64] = _UNKNOWN) -> None:
        self.name, self.depth_um = name, depth_um

    def open(self, stop: Event) -> Generator[Any, None, growing.Source]:
        """Make the source, before anything is acquired, in the reading thread; may yield news."""
        raise NotImplementedError

    def begin(self) -> None:
        """Start the acquisition, in the reading thread; nothing where others acquire."""

    def came(self, planes: int) -> None:
        """Show what came, where that is ours to do."""

    def shown(self) -> Source:
        """Return what shows it in the viewer, or can."""
        raise NotImplementedError

    def ended(self) -> None:
        """Let go of what only a run needs."""

    def close(self) -> None:
        """Let go of everything; calling it again does nothing."""


class FileFeed(Feed):
    """A file or folder that is being written.

    Parameters
    ----------
    path : str
        A zarr store, a TIFF or a folder of TIFFs; it need not exist yet.
    planned : int or None
        Planes in all, where the user knows.
    stopped_after_s : float
        Time in s without a plane after which it is said to have stopped growing.
    **options
        For `open_stack`; None for what the metadata say.
    """

    def __init__(
        self, path: str, *, planned: int | None, stopped_after_s: float, **options: Any
    ) -> None:
        super().__init__(Path(path).name)
        self._shown = file_source(path, **options)
        self._waits = {"planned": planned, "stopped_after_s": stopped_after_s}

    def open(self, stop: Event) -> Generator[Any, None, growing.Source]:
        """Make the source; nothing is looked at yet."""
        from cop_core.stacks.growing import open_growing

        yield from ()
        source = open_growing(self._shown.path or "", **self._shown.options, **self._waits)
        self.name = source.name
        return source

    def shown(self) -> Source:
        """Return the file."""
        return self._shown


class LayerFeed(Feed):
    """A layer of the viewer that grows.

    Parameters
    ----------
    layer : Image
        The layer.
    stopped_after_s : float
        As for `FileFeed`.
    **options
        For `layer_source`.
    """

    def __init__(self, layer: Image, *, stopped_after_s: float, **options: Any) -> None:
        self.layer: Image | None = layer
        self._options = options
        self._stopped_after_s = stopped_after_s
        now = self._now()
        super().__init__(str(now.name))
        given = {key: options[key] for key in ("z_step_um", "power") if options.get(key)}
        self._array = GrowingArray(
            now.pixels, name=self.name, source=f"layer {self.name!r}", **given
        )
        self._following = Following()
        self._following.on(layer.events.data, self._changed)

    def open(self, stop: Event) -> Generator[Any, None, growing.Source]:
        """Return the source."""
        yield from ()
        return SettledPlanes(self._array, self._stopped_after_s)

    def removed(self) -> None:
        """Let go of a layer that was removed; what it held until then is still read."""
        self._following.end()
        self._array.end()
        self.layer = None

    def shown(self) -> Source:
        """Return the layer with its pixels as they are now, or a source without any."""
        return Source(self.name, None, None, {}) if self.layer is None else self._now()

    def ended(self) -> None:
        """Let go of the layer."""
        self.removed()
        self._array.close()

    def close(self) -> None:
        """Let go of the layer."""
        self.ended()

    def _changed(self) -> None:
        self._array.put(self._now().pixels)

    def _now(self) -> Source:
        # never the layer's file: it says nothing of planes that come later
        return layer_source(self.layer, **self._options, as_pixels=True)
