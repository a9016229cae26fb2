"""Choice of one stack: a layer of the viewer or a file, its z axis, step, channel and power."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from magicgui.widgets import ComboBox, Container, FileEdit, LineEdit
from napari.layers import Image

from napari_cop._fields import NumberField, chosen_path
from napari_cop._following import Following
from napari_cop._power_form import PowerForm
from napari_cop._sources import Source, file_source, layer_source, z_axis_of, z_step_um_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

FILE: Final = "a file …"
_NOT_SAID: Final = -1
_ZARR_MARKS: Final = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


class SourceForm(Container[Any]):
    """One stack to read.

    Parameters
    ----------
    viewer : Viewer
        Its image layers are offered, and followed as they come, go and change.
    following : Following
        Ends with the widget.
    """

    def __init__(self, viewer: Viewer, following: Following) -> None:
        self._viewer = viewer
        self._layer = Following()  # what is chosen may change its scale
        self.chosen = ComboBox(
            label="Read from",
            choices=self._choices,
            tooltip="The z-stack to read: an image layer, or a file that need not be opened.",
        )
        self.file = FileEdit(
            label="File",
            mode="r",
            tooltip="TIFF (OME, ImageJ, ScanImage, plain), or the zarr.json or .zattrs inside "
            "the folder of an OME-Zarr or zarr image.",
        )
        self.channel = LineEdit(
            label="Channel",
            tooltip="Name, or number from 0. Empty where the file has a single channel.",
        )
        self.z_axis = ComboBox(
            label="Z axis",
            choices=self._axes,
            tooltip="Axis of the layer along which the planes follow one another.",
        )
        self.z_step_um = NumberField(
            label="Z step (µm)",
            tooltip="Distance between planes. Empty: as the file states.",
            empty="as the file states",
        )
        self.power = PowerForm()
        super().__init__(
            widgets=[
                self.chosen, self.z_axis, self.file, self.channel, self.z_step_um, self.power,
            ],
            labels=True,
        )  # fmt: skip
        self.margins = (0, 0, 0, 0)
        self.chosen.changed.connect(self._layer_chosen)
        self.z_axis.changed.connect(self._axis_chosen)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            following.on(event, self._layers_changed)
        self._layer_chosen()

    @property
    def layer(self) -> Image | None:
        """The layer that is chosen; None for a file."""
        chosen = self.chosen.value
        return chosen if isinstance(chosen, Image) else None

    def source(self) -> Source:
        """Return what is chosen.

        Raises
        ------
        InputError
            Where something is missing; the message says what.
        """
        step = self.z_step_um.number
        if self.layer is not None:
            return layer_source(self.layer, **self._of_layer(self.layer))
        return file_source(
            self._path(), z_step_um=step, power=self.power.power, channel=self._channel()
        )

    def _of_layer(self, layer: Image) -> dict[str, Any]:
        """Return what `layer_source` is to be told of a layer."""
        axis = self.z_axis.value
        return {
            "z_axis": None if axis in (None, _NOT_SAID) else axis,
            "z_step_um": self.z_step_um.number,
            "power": self.power.power,
            "position": self._position(layer),
        }

    def choose_layer(self, layer: Image) -> None:
        """Choose a layer of the viewer."""
        self.chosen.value = layer

    def choose_file(self, path: str | Path) -> None:
        """Choose a file."""
        self.chosen.value = FILE
        self.file.value = Path(path)

    @property
    def open_for_suggestions(self) -> bool:
        """Whether the user has chosen neither a layer nor a file."""
        return self.layer is None and not self._path()

    def _choices(self, _: Any) -> list[tuple[str, Any]]:
        images = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        return [(FILE, FILE), *((layer.name, layer) for layer in images)]

    def _axes(self, _: Any) -> list[tuple[str, int]]:
        layer = getattr(self, "chosen", None) and self.layer
        if layer is None:
            return [("choose …", _NOT_SAID)]
        size = layer.data[0].shape if layer.multiscale else layer.data.shape
        named = [f"{label} ({size[i]})" for i, label in enumerate(layer.axis_labels)]
        return [("choose …", _NOT_SAID), *((named[i], i) for i in range(layer.ndim - 2))]

    def _layers_changed(self) -> None:
        chosen = self.chosen.value
        self.chosen.reset_choices()
        if chosen in self.chosen.choices:
            self.chosen.value = chosen

    def _layer_chosen(self) -> None:
        layer = self.layer
        self.file.visible = self.channel.visible = layer is None
        self.z_step_um.say_when_empty("as the file states" if layer is None else "not known")
        self._layer.end()
        self.z_axis.reset_choices()
        if layer is None:
            self.z_axis.visible = False
            self.z_step_um.put(None)
            return
        for emitter in (layer.events.scale, layer.events.units, layer.events.axis_labels):
            self._layer.on(emitter, self._scale_changed)
        axis = z_axis_of(layer)
        self.z_axis.value = _NOT_SAID if axis is None else axis
        self.z_axis.visible = axis is None
        self._axis_chosen()

    def _axis_chosen(self) -> None:
        layer, axis = self.layer, self.z_axis.value
        if layer is None or axis in (None, _NOT_SAID):
            return
        self.z_step_um.put(z_step_um_of(layer, axis))

    def _scale_changed(self) -> None:
        if not self.z_step_um.edited:
            self._layer_chosen()

    def _position(self, layer: Image) -> tuple[float, ...]:
        point = self._viewer.dims.point[-layer.ndim :]
        return tuple(float(x) for x in layer.world_to_data(point))

    def _path(self) -> str:
        path = chosen_path(self.file)
        if path is None:
            return ""
        return str(path.parent if path.name in _ZARR_MARKS else path)

    def _channel(self) -> int | str | None:
        text = self.channel.value.strip()
        if not text:
            return None
        return int(text) if text.isdecimal() else text
