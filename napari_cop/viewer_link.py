"""Link between plots and viewer: a point leads to its plane, the slider to a line in the plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal
from superqt.utils import QSignalThrottler

from napari_cop.layers import CONTRAST_PERCENTILES
from napari_cop.noise_map import is_map, is_map_of
from napari_cop.sources import pixels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Image
    from napari.viewer import Viewer

    from napari_cop.sources import ChosenStack

_FOLLOW_MS: Final = 80
"""Minimum time in ms between two moves of the line, which keeps playback fluent."""


class _Shown(NamedTuple):
    """Place where the planes of a protocol are shown: layer, axis, position on others, number."""

    layer: Image | None
    z_axis: int
    at: tuple[int, ...]
    planes: int


class ViewerLink(QObject):
    """Knows which layer and axis show the planes of each protocol.

    Signals
    -------
    plane_shown(int, int)
        Protocol and plane at the viewer's slider; plane -1 outside the stack.
    """

    plane_shown = Signal(int, int)

    def __init__(self, viewer: Viewer, following: Following, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._shown: list[_Shown] = []
        self._moves = QSignalThrottler(QSignalThrottler.EmissionPolicy.Leading, parent=self)
        self._moves.setTimeout(_FOLLOW_MS)
        self._moves.triggered.connect(self._slider_moved)
        following.on(viewer.dims.events.current_step, self._moves.throttle)
        following.on(viewer.layers.selection.events.active, self._moves.throttle)

    def follow(self, sources: Sequence[ChosenStack], planes: Sequence[int]) -> None:
        """Link to the stacks of a run: their layers and numbers of planes."""
        self._shown = [
            _Shown(source.layer, source.z_axis, source.at, n)
            for source, n in zip(sources, planes, strict=True)
        ]
        self._slider_moved()

    def set_layer(self, protocol: int, layer: Image, z_axis: int = 0) -> None:
        """Link a protocol that was read from a file to the layer that now shows it."""
        planes = self._shown[protocol].planes
        self._shown[protocol] = _Shown(layer, z_axis, (0,) * layer.ndim, planes)

    def layer(self, protocol: int) -> Image | None:
        """Return the layer that shows a protocol; None if none does (any more)."""
        if protocol >= len(self._shown):
            return None
        layer = self._shown[protocol].layer
        return layer if layer is not None and layer in self._viewer.layers else None

    def place(self, protocol: int) -> tuple[int, tuple[int, ...]]:
        """Return the axis of planes of a protocol's layer, and its position on the other axes."""
        shown = self._shown[protocol]
        return shown.z_axis, shown.at

    def go_to(self, protocol: int, plane: int) -> bool:
        """Show a plane in front, with suitable contrast; return False if no layer shows it."""
        layer = self.layer(protocol)
        if layer is None:
            return False
        z_axis, place = self.place(protocol)
        at = list(place)
        at[z_axis] = plane
        world = layer.data_to_world(at)
        self._to_front(protocol, layer)
        suit_plane(layer, z_axis, at)
        _show_scale_bar(self._viewer)
        first = self._viewer.dims.ndim - layer.ndim
        for axis in range(layer.ndim - 2):
            self._viewer.dims.set_point(first + axis, world[axis])
        self._slider_moved()  # it does not have it if the plane of another stack was shown
        if self._viewer.grid.enabled:
            self.suit_shown()
        return True

    def suit_shown(self) -> None:
        """Set the contrast of every protocol's layer to suit the plane shown."""
        for protocol, shown in enumerate(self._shown):
            layer, plane = self.layer(protocol), self._plane(protocol)
            if layer is not None and plane >= 0:
                at = list(shown.at)
                at[shown.z_axis] = plane
                suit_plane(layer, shown.z_axis, at)

    def _to_front(self, protocol: int, layer: Image) -> None:
        """Bring a layer to the front: no other protocol covers it or shows through it."""
        layers = self._viewer.layers
        beside = self._viewer.grid.enabled
        others = (self.layer(other) for other in range(len(self._shown)) if other != protocol)
        for other in others:
            if other is not None and other != layer and not beside:
                other.visible = False
        maps = [x for x in layers if is_map(x) and not beside]
        mapped = any(each.visible for each in maps)
        for each in maps:  # that of the layer in place of the one that was shown
            each.visible = mapped and is_map_of(each, layer)
        layer.visible = True
        if not beside:
            _raise(layers, layer)
            for each in [x for x in layers if is_map_of(x, layer)]:
                _raise(layers, each)
        layers.selection.active = layer

    @property
    def protocol(self) -> int | None:
        """The protocol whose layer is active, else the first that a layer shows."""
        # equal rather than identical: napari passes proxies of its objects to plugins
        active = self._viewer.layers.selection.active
        known = [p for p in range(len(self._shown)) if self.layer(p) is not None]
        return next((p for p in known if self.layer(p) == active), next(iter(known), None))

    def _slider_moved(self) -> None:
        chosen = self.protocol
        if chosen is not None:
            self.plane_shown.emit(chosen, self._plane(chosen))

    def _plane(self, protocol: int) -> int:
        shown = self._shown[protocol]
        if shown.layer is None:
            return -1
        point = self._viewer.dims.point[-shown.layer.ndim :]
        plane = round(float(shown.layer.world_to_data(point)[shown.z_axis]))
        return plane if 0 <= plane < shown.planes else -1


def suit_plane(layer: Image, z_axis: int, at: Sequence[int]) -> None:
    """Set the contrast of a layer to suit one plane of it: deep ones are far darker."""
    data = pixels_of(layer)
    kept = (z_axis, layer.ndim - 2, layer.ndim - 1)
    place = tuple(slice(None) if i in kept[1:] else at[i] for i in range(layer.ndim))
    plane = np.asarray(data[place], dtype=np.float64)
    finite = plane[np.isfinite(plane)]
    low, high = np.percentile(finite, CONTRAST_PERCENTILES) if finite.size else (0.0, 0.0)
    if high > low:
        layer.contrast_limits = float(low), float(high)


def _raise(layers: Any, layer: Image) -> None:
    if layers[-1] != layer:
        layers.move(layers.index(layer), len(layers))


def _show_scale_bar(viewer: Viewer) -> None:
    canvas = getattr(viewer, "canvas", None)  # napari before 0.9 has it at the viewer
    overlays = getattr(canvas, "overlays", viewer)
    overlays.scale_bar.visible = True


class Following:
    """Connections to napari's events, to be disconnected together.

    The viewer outlives its dock widgets: a remaining callback would call into a widget that Qt has
    deleted.
    """

    def __init__(self) -> None:
        self._pairs: list[tuple[Any, Callable[..., Any]]] = []
        self.ended = False

    def on(self, emitter: Any, callback: Callable[..., Any]) -> None:
        """Call back at every event of an emitter."""
        self.ended = False
        emitter.connect(callback)
        self._pairs.append((emitter, callback))

    def end(self) -> None:
        """Disconnect everything; harmless when repeated."""
        self.ended = True
        while self._pairs:
            emitter, callback = self._pairs.pop()
            emitter.disconnect(callback)
