"""A canvas that draws a figure in pieces, so that Qt gets a turn between two panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.axes import Axes
from matplotlib.backend_bases import DrawEvent
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

_REST_MS: Final = 6
"""Time between two pieces: without it Qt may draw two before it looks at anything else."""


class PieceworkCanvas(FigureCanvasQTAgg):
    """A canvas whose `draw_idle` arranges and draws the figure over several turns of Qt's loop.

    Six panels take 100 ms and more to draw, longer while a network computes beside. Drawn one
    after the other, onto a sheet of their own that is shown when all is there, none of them
    keeps the window waiting for long. `draw` still draws at once.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        self._pieces: Iterator[None] | None = None
        self._turns = QTimer(self)
        self._turns.timeout.connect(self._next_piece)

    def draw_idle(self) -> None:
        """Draw soon; what is being drawn is begun anew."""
        self._pieces = None
        self._turns.start(_REST_MS)

    @property
    def drawing(self) -> bool:
        """Whether a drawing is under way."""
        return bool(self._turns.isActive())

    def stop_drawing(self) -> None:
        """Give up the drawing under way: its artists are about to be removed."""
        self._pieces = None
        self._turns.stop()

    def _next_piece(self) -> None:
        if self._pieces is None:
            self._pieces = self._draw_pieces()
        try:
            next(self._pieces)
        except StopIteration:
            self._turns.stop()
            self._pieces = None

    def _draw_pieces(self) -> Iterator[None]:
        figure: Any = self.figure
        shown = self.get_renderer()
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.execute(figure)
            yield
        sheet = RendererAgg(shown.width, shown.height, figure.dpi)
        figure.patch.draw(sheet)
        artists = [a for a in figure.get_children() if a is not figure.patch]
        for artist in sorted(artists, key=lambda a: a.get_zorder()):
            if isinstance(artist, Axes):
                yield from _draw_panel(artist, sheet)
            elif not artist.get_animated():
                artist.draw(sheet)
                yield
        if self.get_renderer() is shown:  # else the size has changed, and a new turn is due
            self.renderer = sheet
            self.callbacks.process("draw_event", DrawEvent("draw_event", self, sheet))
            self.update()


def _draw_panel(ax: Axes, sheet: RendererAgg) -> Iterator[None]:
    """Draw a panel in three pieces: its axes take most of the time."""
    sides = (ax.xaxis, ax.yaxis)
    for side in sides:
        side.set_animated(True)  # left out by the panel's own drawing
    try:
        ax.draw(sheet)
    finally:
        for side in sides:
            side.set_animated(False)
    yield
    for side in sides:
        side.draw(sheet)
        yield
