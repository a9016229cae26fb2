"""Choice of one stack: a layer of the viewer or a file, and how it is opened."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from magicgui.widgets import ComboBox, Label
from napari.layers import Image, Labels
from qtpy.QtWidgets import QSizePolicy

from cop_core.errors import CopError, InputError
from cop_core.recipes import StackOptions
from napari_cop.forms.fields import AS_STATED
from napari_cop.forms.found import Found, found_in_file, found_in_layer, saturation_of_file
from napari_cop.forms.recipe_form import RecipeForm, make
from napari_cop.forms.source import SourceForm
from napari_cop.processes import PROCESSES
from napari_cop.sources import (
    ASKED_OF_LAYERS,
    ChosenStack,
    axis_name,
    layer_stack,
    pixels_of,
    z_axis_of,
    z_step_um_of,
)
from napari_cop.viewer_link import Following
from napari_cop.words import said, unbroken
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer

_OFTEN: Final = ("channel", "z_step_um", "power")
_NOT_SAID: Final = -1


class StackForm(SourceForm):
    """One stack to read.

    Parameters
    ----------
    following : Following
        Ends with the widget.

    Attributes
    ----------
    more : RecipeForm
        Options of a stack that are seldom needed.
    """

    def __init__(self, viewer: Viewer, following: Following) -> None:
        self._looked_at: StackOptions | None = None
        self._layer = Following()  # the chosen layer may change its scale
        self._following = following
        super().__init__(
            viewer,
            following,
            tooltip="The z-stack to read: an image layer, or a file that is not open in napari.",
            file_tooltip="A TIFF, a microscope's own file or any file of its set, or the zarr.json "
            "or .zattrs inside the folder of an OME-Zarr or zarr image.",
        )
        self.z_axis = ComboBox(
            label="Z axis",
            choices=self._axes,
            tooltip="Axis of the layer along which the planes are stacked.",
        )
        self.insert(1, self.z_axis)
        self.ask(StackOptions, only=_OFTEN)
        self.found = Label(label="Holds", tooltip="What the stack states, and what is missing.")
        self.found.native.setWordWrap(True)
        self.found.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.append(self.found)
        self.more = RecipeForm(StackOptions, without=_OFTEN)
        self.z_axis.changed.connect(self._axis_chosen)
        self._layer_chosen()
        for form in (self, self.more):
            form.changed.connect(self._tell_found)
        following.on(viewer.dims.events.current_step, self._viewer_moved)

    def stack(self) -> ChosenStack:
        """Return the chosen stack.

        Raises
        ------
        InputError
            If something is missing; the message states what.
        """
        try:
            return self._chosen()
        except InputError as error:
            raise error.within(self.label) from None

    def _chosen(self) -> ChosenStack:
        if self.layer is not None:
            return layer_stack(self.layer, **self._how(self.layer))
        return self._of_path(self._path())

    def _how(self, layer: Image) -> dict[str, Any]:
        """Return the arguments of `layer_stack` for a layer."""
        axis = self.z_axis.value
        return {
            "asked": make(StackOptions, self, self.more),
            "z_axis": None if axis in (None, _NOT_SAID) else axis,
            "position": self._position(layer),
        }

    def _of_path(self, path: str) -> ChosenStack:
        if not path:
            advice = "Choose a file of the stack"
            raise InputError("no file is chosen", advice=advice)
        return ChosenStack(make(StackOptions, self, self.more, source=path))

    def _axes(self, _: Any) -> list[tuple[str, int]]:
        layer = self.layer
        if layer is None:
            return [("choose …", _NOT_SAID)]
        size = pixels_of(layer).shape
        named = [f"{axis_name(layer, i)}, {size[i]} planes" for i in range(layer.ndim)]
        return [("choose …", _NOT_SAID), *((named[i], i) for i in range(layer.ndim - 2))]

    def _layer_chosen(self) -> None:
        super()._layer_chosen()
        layer = self.layer
        for form in (self, self.more):
            form.hide(self._unasked())
        self.z_step_um.say_when_empty(AS_STATED if layer is None else "not known")
        self._layer.end()
        self.z_axis.reset_choices()
        if layer is None:
            self.z_axis.visible = False
            self.z_step_um.put(None)
            self._tell_found()
            return
        for emitter in (layer.events.scale, layer.events.units, layer.events.axis_labels):
            self._layer.on(emitter, self._scale_changed)
        axis = z_axis_of(layer)
        self.z_axis.value = _NOT_SAID if axis is None else axis
        self.z_axis.visible = axis is None
        self._axis_chosen()
        self._tell_found()

    def _tell_found(self, _: object = None) -> None:
        """Show what is stated and missing, and saturation in a file, before a run."""
        layer = self.layer
        try:
            chosen = self._chosen()
        except CopError as error:
            self._looked_at = None
            asked = layer is not None or self._path()
            lacks = said(error) if asked else self._no_images()
            self._show_found(Found(lacks=(lacks,) if lacks else ()))
            return
        if layer is not None:
            # Not in a thread: Python may collect Qt objects there and block the window for good.
            self._looked_at = None
            self._show_found(found_in_layer(layer, chosen.z_axis, chosen.at))
            return
        if chosen.options == self._looked_at:
            return
        self._looked_at = chosen.options
        worker = Worker(_look, chosen.options)
        # a bound method would be called after its form is gone, and crash the process
        worker.yielded.connect(partial(StackForm._looked, self))
        worker.start()

    def _layers_changed(self) -> None:
        super()._layers_changed()
        if self.layer is None and not self._path():
            self._tell_found()

    def _no_images(self) -> str:
        """Return why labels layers are not offered, if there are no other layers."""
        layers = self._viewer.layers
        segments = [layer.name for layer in layers if isinstance(layer, Labels)]
        if not segments or any(isinstance(layer, Image) for layer in layers):
            return ""
        return (
            f"{segments[0]} is a labels layer, which holds no intensities. If it is an image, "
            "right-click it in the layer list and choose Convert to Image"
        )

    def _viewer_moved(self, _: object = None) -> None:
        if self.layer is not None and self.layer.ndim > 3:
            self._tell_found()

    def _looked(self, seen: tuple[StackOptions, Found]) -> None:
        if self._following.ended:  # the widget is already gone
            return
        if seen[0] == self._looked_at:
            self._show_found(seen[1])

    def _show_found(self, found: Found) -> None:
        self.found.value = unbroken(found.text)
        self.found.visible = bool(found.text)

    def _unasked(self) -> set[str]:
        """Return the fields that do not apply to the choice."""
        seldom = {field.name for field in self.more}
        return set() if self.layer is None else {"channel", *seldom}.difference(ASKED_OF_LAYERS)

    def _axis_chosen(self) -> None:
        layer, axis = self.layer, self.z_axis.value
        if layer is None or axis in (None, _NOT_SAID):
            return
        self.z_step_um.put(z_step_um_of(layer, axis))

    def _scale_changed(self) -> None:
        if not self.z_step_um.edited:
            self._layer_chosen()


def _look(options: StackOptions) -> Iterator[tuple[StackOptions, Found]]:
    """Yield what a file states, opened as for reading, then with findings from its planes."""
    try:
        found = PROCESSES.call(partial(found_in_file, options))
        yield options, found
        saturated = PROCESSES.call(partial(saturation_of_file, options))
    except (CopError, OSError) as error:
        yield options, Found(lacks=(said(error),))
        return
    if saturated:
        yield options, found.lacking(saturated)
