"""Choice of a movie and of dark frames: layers of the viewer, or files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from napari.layers import Image

from cop_core.errors import InputError
from cop_core.recipes import MovieOptions
from napari_cop.forms.recipe_form import RecipeForm, make
from napari_cop.forms.source import FILE, SourceForm
from napari_cop.sources import ChosenMovie, is_movie, layer_movie

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_cop.viewer_link import Following

_NONE: Final = "none"
_KINDS: Final = "TIFF, zarr or a microscope's own file."


class MovieForm(SourceForm):
    """A movie of a static sample."""

    TITLE: ClassVar = "Movie"
    HELP: ClassVar = (
        "About 50 frames of one static field of view: an image layer, or a file. The saved result "
        "names its source only if that is a file."
    )
    ASKED: ClassVar[tuple[str, ...]] = ("channel",)
    """Fields of the movie that are in the form itself."""
    SELDOM: ClassVar[tuple[str, ...]] = ("name", "plane", "axes", "level", "allow_partial")

    def __init__(self, viewer: Viewer, following: Following) -> None:
        super().__init__(viewer, following, tooltip=self.HELP, file_tooltip=_KINDS)
        self.more = RecipeForm()
        for form, names in ((self, self.ASKED), (self.more, self.SELDOM)):
            if names:
                form.ask(MovieOptions, only=names)
        self._layer_chosen()

    def movie(self) -> ChosenMovie:
        """Return the chosen movie.

        Raises
        ------
        InputError
            If something is missing; the message states what.
        """
        asked, layer = make(MovieOptions, self, self.more), self.layer
        if layer is not None:
            return layer_movie(layer, asked, self._position(layer))
        if not self._path():
            raise InputError("no file is chosen", where=self.TITLE, advice="Choose one")
        return ChosenMovie(asked.but(source=self._path()))

    def suggest(self) -> None:
        """Choose the first layer that may be a movie, if nothing is chosen."""
        if self.open_for_suggestions:
            fitting = (x for x in self.chosen.choices if isinstance(x, Image) and is_movie(x))
            self.chosen.value = next(fitting, FILE)

    def _layer_chosen(self) -> None:
        super()._layer_chosen()
        for form in (self, self.more):
            form.hide(() if self.layer is None else {*self.ASKED, *self.SELDOM} - {"name"})


class DarkForm(MovieForm):
    """Frames without light, if any; opened like the movie."""

    TITLE: ClassVar = "Dark frames"
    HELP: ClassVar = (
        "The same number of frames with the shutter closed, at the same settings. They measure "
        "the zero level and the noise of the amplifier."
    )
    ASKED: ClassVar[tuple[str, ...]] = ()
    SELDOM: ClassVar[tuple[str, ...]] = ()

    @property
    def used(self) -> bool:
        """Whether there are dark frames."""
        return bool(self.chosen.value != _NONE)

    def _choices(self, widget: Any) -> list[tuple[str, Any]]:
        return [(_NONE, _NONE), *super()._choices(widget)]
