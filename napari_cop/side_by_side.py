"""Both stacks of a comparison next to each other in napari's grid, at equal depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cop.noise_map import is_map_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

    from napari_cop.viewer_link import ViewerLink


class SideBySide:
    """Puts the layers of two protocols into a grid, each with its noise map, and back."""

    def __init__(self, viewer: Viewer, link: ViewerLink) -> None:
        self._viewer, self._link = viewer, link
        self._hidden: list[Layer] = []

    @property
    def shown(self) -> bool:
        """Whether they are next to each other."""
        return bool(self._viewer.grid.enabled)

    def show(self) -> None:
        """Show the first protocol on the left, the second on the right, and nothing else."""
        groups = [self._group(protocol) for protocol in (0, 1)]
        if len({len(group) for group in groups}) > 1:  # a map of one of them alone
            groups = [group[:1] for group in groups]
        chosen = [layer for group in groups for layer in group]
        self._hidden = [x for x in self._viewer.layers if x.visible and x not in chosen]
        for layer in self._hidden:
            layer.visible = False
        grid, layers = self._viewer.grid, self._viewer.layers
        for group in reversed(groups):  # with a negative stride the topmost comes first
            group[0].visible = True
            for layer in group:
                layers.move(layers.index(layer), len(layers))
        grid.stride, grid.shape = -len(groups[0]), (1, 2)
        grid.enabled = True
        self._viewer.reset_view()

    def end(self) -> None:
        """Show them as before."""
        self._viewer.grid.enabled = False
        for layer in self._hidden:
            if layer in self._viewer.layers:
                layer.visible = True
        self._hidden.clear()
        self._viewer.reset_view()

    def _group(self, protocol: int) -> list[Layer]:
        """Return the layer of a protocol and the noise map over it, if any."""
        layer = self._link.layer(protocol)
        assert layer is not None
        return [layer, *(x for x in self._viewer.layers if is_map_of(x, layer))]
