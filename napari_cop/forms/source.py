"""Choice of a source: an image layer of the viewer, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from magicgui.widgets import ComboBox, FileEdit
from napari.layers import Image

from napari_cop.forms.fields import chosen_path
from napari_cop.forms.recipe_form import RecipeForm
from napari_cop.noise_map import is_map

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_cop.viewer_link import Following

FILE: Final = "a file …"
_ZARR_MARKS: Final = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


class SourceForm(RecipeForm):
    """A layer or a file, and its options.

    Parameters
    ----------
    following : Following
        Ends with the widget.
    tooltip, file_tooltip : str
        Tool tips of the choice, and of the file.

    Attributes
    ----------
    more : RecipeForm
        Options that are seldom needed.
    """

    more: RecipeForm

    def __init__(
        self, viewer: Viewer, following: Following, *, tooltip: str, file_tooltip: str
    ) -> None:
        self._viewer = viewer
        self.chosen = ComboBox(label="Read from", choices=self._choices, tooltip=tooltip)
        self.file = FileEdit(label="File", mode="r", tooltip=file_tooltip)
        super().__init__()
        self.extend([self.chosen, self.file])
        self.chosen.changed.connect(self._layer_chosen)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            following.on(event, self._layers_changed)

    @property
    def layer(self) -> Image | None:
        """The chosen layer; None for a file."""
        chosen = self.chosen.value
        return chosen if isinstance(chosen, Image) else None

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
        layers = self._viewer.layers
        images = [layer for layer in layers if isinstance(layer, Image) and not is_map(layer)]
        return [(FILE, FILE), *((layer.name, layer) for layer in images)]

    def _layers_changed(self) -> None:
        chosen = self.chosen.value
        self.chosen.reset_choices()
        if chosen in self.chosen.choices:
            self.chosen.value = chosen

    def _layer_chosen(self) -> None:
        self.file.visible = self.chosen.value == FILE

    def _position(self, layer: Image) -> tuple[float, ...]:
        point = self._viewer.dims.point[-layer.ndim :]
        return tuple(float(x) for x in layer.world_to_data(point))

    def _path(self) -> str:
        path = chosen_path(self.file)
        if path is None:
            return ""
        return str(path.parent if path.name in _ZARR_MARKS else path)
