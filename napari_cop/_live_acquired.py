"""An acquisition through Micro-Manager as something to be watched and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import finalize

import numpy as np

from cop_core.errors import InputError
from napari_cop._layers import METADATA_KEY, image_layer
from napari_cop._live_feeds import Feed
from napari_cop._sources import Source

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.stacks import Stack, growing
    from napari_cop._layers import LayerData


class AcquisitionFeed(Feed):
    """An acquisition, kept until it is closed and no layer shows it."""

    source: growing.Source | None = None
    pixels: GrowingPixels | None = None

    def shown(self) -> Source:
        """Return what was acquired."""
        return Acquired(self.name, None, self, {})

    def layer_data(self, planes: int | None = None) -> LayerData:
        """Describe it as a layer of that many planes, those to come included."""
        stack = self.stack()
        _, arguments, kind = image_layer(stack)
        assert self.source is not None
        self.pixels = GrowingPixels(self.source, planes or len(stack))
        return self.pixels, arguments, kind

    def stack(self) -> Stack:
        """Return the planes that came.

        Raises
        ------
        InputError
            Where none came, or they are not kept any more.
        """
        if self.source is None:
            raise InputError("nothing was acquired", where=self.name)
        return self.source.stack()

    def close(self) -> None:
        """Let go of the core; of the planes too, unless a layer shows them."""
        if self.source is not None and self.pixels is None:
            self.source.close()
        self.source = self.pixels = None


@dataclass(frozen=True)
class Acquired(Source):
    """An acquisition as what was read; its ``pixels`` are an `AcquisitionFeed`."""

    def open(self) -> Stack:
        """Return the planes that came."""
        stack: Stack = self.pixels.stack()
        return stack

    def layer_data(self) -> LayerData:
        """Describe it as a layer."""
        data: LayerData = self.pixels.layer_data()
        return data


class GrowingPixels:
    """Pixels of an acquisition as an array of its final size; black where nothing came yet.

    The planes lie in a temporary file, which goes with this array.

    Parameters
    ----------
    source : Source
        The acquisition, of which a plane has come.
    planes : int
        Planes in all.
    """

    ndim = 3

    def __init__(self, source: growing.Source, planes: int) -> None:
        stack = source.stack()
        self._source = source
        self.shape = (planes, *stack.shape[1:])
        self.dtype = stack.dtype
        finalize(self, source.close)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Read everything."""
        return np.asarray(self[:], dtype)

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        """Read from one plane or from several."""
        first, *rest = key if isinstance(key, tuple) else (key,)
        wanted = np.arange(self.shape[0])[first]
        planes = np.stack([self._plane(int(i)) for i in np.atleast_1d(wanted)])
        chosen = planes[(slice(None), *rest)]
        return np.asarray(chosen if np.ndim(wanted) else chosen[0])

    def _plane(self, index: int) -> npt.NDArray[Any]:
        stack = self._source.stack()
        if index < len(stack):
            return stack.plane(index).data
        return np.zeros(self.shape[1:], self.dtype)


def state_all(metadata: dict[str, Any], stack: Stack) -> None:
    """Let a layer that grew say the depth and power of all its planes."""
    _, arguments, _ = image_layer(stack)
    metadata[METADATA_KEY] = arguments["metadata"][METADATA_KEY]
