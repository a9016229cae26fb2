"""Both stacks of a comparison side by side in napari's grid, at equal depth."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_cop.noise_map import is_map_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_cop.viewer_link import ViewerLink


class SideBySide:
    """Puts the layers of two protocols into a grid, each with its noise map, and back."""

    def __init__(self, viewer: Viewer, link: ViewerLink) -> None:
        self._viewer, self._link = viewer, link
        self._before: list[tuple[Layer, bool]] = []

    def show(self) -> None:
        """Show the first protocol on the left, the second on the right, and nothing else."""
        self._put_beside()
        self._viewer.reset_view()

    def end(self) -> None:
        """Restore the view."""
        self._viewer.grid.enabled = False
        self._put_back()
        self._viewer.reset_view()

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Update the grid, if there is one, after noise maps were added or replaced."""
        beside = bool(self._before) and self._viewer.grid.enabled
        if beside:
            self._put_back()
        try:
            yield
        finally:
            if beside:
                self._put_beside()

    def _put_beside(self) -> None:
        layers, grid = self._viewer.layers, self._viewer.grid
        groups = [self._group(protocol) for protocol in (0, 1)]
        mapped = any(layer.visible for group in groups for layer in group[1:])
        if not mapped or len({len(group) for group in groups}) > 1:
            groups = [group[:1] for group in groups]
        chosen = [layer for group in groups for layer in group]
        self._before = [(layer, layer.visible) for layer in layers]
        for layer in layers:
            layer.visible = layer in chosen
        for group in reversed(groups):  # with a negative stride the topmost comes first
            for layer in group:
                layers.move(layers.index(layer), len(layers))
        grid.stride, grid.shape = -len(groups[0]), (1, 2)
        grid.enabled = True

    def _put_back(self) -> None:
        for layer, visible in self._before:
            if layer in self._viewer.layers:
                layer.visible = visible
        self._before.clear()

    def _group(self, protocol: int) -> list[Layer]:
        """Return the layer of a protocol and the noise map over it, if any."""
        layer = self._link.layer(protocol)
        assert layer is not None
        return [layer, *(x for x in self._viewer.layers if is_map_of(x, layer))]
