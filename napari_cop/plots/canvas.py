"""Base of the plugin's plots: a figure inside Qt that follows napari's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from matplotlib.axes import Axes
from matplotlib.backend_bases import DrawEvent
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg, NavigationToolbar2QT
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from qtpy.QtCore import QSize, QTimer
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cop_core.report.figures import styled
from cop_core.report.plot_style import shade
from napari_cop.plots.theme import (
    DPI,
    LayoutWhenAsked,
    PanelLayout,
    palette,
    plot_style,
    style_ticks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from qtpy.QtGui import QPaintEvent, QShowEvent, QWheelEvent


_LEAST_WIDTH_PX: Final = 200
_LEAST_HEIGHT_PX: Final = 200
_WIDTH_PX: Final = 460
_ROW_PX: Final = 128
_MARGINS_PX: Final = 84


class PlotToolbar(NavigationToolbar2QT):
    """Home, pan, zoom and save."""

    toolitems: ClassVar = [
        item
        for item in NavigationToolbar2QT.toolitems
        if item[0] in {"Home", "Pan", "Zoom", "Save"}
    ]


class PlotWidget(QWidget):
    """Base of the plots: a canvas, redrawn by `draw_into` when its content or theme changes.

    A subclass calls `rebuild` when it is ready to draw.

    Parameters
    ----------
    layout : LayoutWhenAsked or PanelLayout, optional
        Arranges the figure; by default the former.
    """

    EMPTY: ClassVar[str]
    """Advice while there is nothing to show."""
    WIDE: ClassVar = 0.0
    """Ratio of width to height above which panels are side by side."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        theme: str = "dark",
        layout: LayoutWhenAsked | PanelLayout | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._waiting = False
        self._stacked = True
        self._layout = layout or LayoutWhenAsked(w_pad=0.05, h_pad=0.04)
        self._figure = Figure(figsize=(4.8, 5.4), dpi=DPI, layout=self._layout)
        self.canvas = PieceworkCanvas(self._figure)
        self.canvas.setMinimumSize(_LEAST_WIDTH_PX, _LEAST_HEIGHT_PX)
        self.canvas.mpl_connect("resize_event", lambda _: self._resized())
        self.toolbar = PlotToolbar(self.canvas, self, coordinates=False)
        self.toolbar.setIconSize(QSize(18, 18))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.toolbar)
        box.addWidget(self.canvas, stretch=1)

    def figure(self) -> Figure:
        """Return the figure as displayed, for saving or inspection."""
        if self._waiting:
            self.rebuild()
        return self._figure

    @property
    def stacked(self) -> bool:
        """Whether the widget's shape requires panels below each other."""
        width, height = self._figure.get_size_inches()
        return bool(width < self.WIDE * height)

    def keep_room(self, rows: int) -> None:
        """Make rows of panels high enough for their text; the page scrolls if they do not fit."""
        self.canvas.setMinimumHeight(max(_LEAST_HEIGHT_PX, rows * _ROW_PX + _MARGINS_PX))

    def set_theme(self, theme: str) -> None:
        """Draw in the colours of another napari theme."""
        self._theme = theme
        self.rebuild()

    def rebuild(self) -> None:
        """Redraw everything."""
        self._waiting = False
        style = plot_style(self._theme)
        self.canvas.stop_drawing()
        kept = [self._figure.patch, *self.kept_axes()]
        for artist in self._figure.get_children():
            if artist not in kept:
                artist.remove()  # Figure.clear would first reset every panel, which is slow
        self.toolbar.update()
        self._figure.set_facecolor(style["figure.facecolor"])
        self._stacked = self.stacked
        with styled(style):
            filled = self.draw_into(self._figure)
            for ax in self._figure.axes:
                if ax not in kept:
                    style_ticks(ax)
            if not filled:
                self._figure.text(0.5, 0.5, self.EMPTY, ha="center", va="center", wrap=True)
        self.toolbar.setPalette(palette(self._theme))
        self.toolbar.setEnabled(filled)
        self.arrange()

    def rebuild_when_seen(self) -> None:
        """Redraw everything; behind another tab, only when it is shown."""
        if self.isVisible():
            self.rebuild()
        else:
            self._waiting = True

    def kept_axes(self) -> list[Axes]:
        """Return emptied axes for `draw_into` to reuse: making them is slow."""
        return []

    def draw_into(self, figure: Figure) -> bool:
        """Draw into an empty figure; return False if there is nothing to draw."""
        raise NotImplementedError

    def resized(self) -> None:
        """Adapt to the figure's new size before it is drawn: the layout of panels may change."""
        if self._stacked != self.stacked:
            self.rebuild()

    def arrange(self) -> None:
        """Arrange labels and panels with the next drawing."""
        self._layout.stale = True
        self.redraw()

    def redraw(self) -> None:
        """Draw soon or, if the widget is hidden, when it is shown."""
        if self.isVisible():
            self.canvas.draw_idle()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Draw the changes made while the widget was hidden."""
        if self._waiting:
            self.rebuild()
        super().showEvent(event)
        self.canvas.draw_idle()

    def _resized(self) -> None:
        self._layout.stale = True
        self.resized()


_REST_MS: Final = 6
"""Time between two pieces: without it Qt may draw two before handling other events."""


class PageCanvas(FigureCanvasQTAgg):
    """A canvas on a page: the wheel scrolls the page."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave the wheel to the page."""
        event.ignore()


class PieceworkCanvas(PageCanvas):
    """A canvas whose `draw_idle` arranges and draws the figure over several turns of Qt's loop.

    Six panels take 100 ms or more to draw, and longer while a network is running. They are drawn
    one after the other onto a separate sheet, which is shown when complete; no panel keeps the
    window waiting for long. `draw` still draws at once.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        self._pieces: Iterator[None] | None = None
        self._turns = QTimer(self)
        self._turns.timeout.connect(self._next_piece)
        self._drawn: RendererAgg | None = None
        self.mpl_connect("draw_event", self._keep)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Request no more height than needed: pages assign the rest."""
        return QSize(_WIDTH_PX, self.minimumHeight())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Show the last drawing, scaled, until there is one of the current size."""
        drawn = self._drawn
        if drawn is None or self.get_renderer() is drawn:
            super().paintEvent(event)
            return
        size = int(drawn.width), int(drawn.height)
        picture = QImage(drawn.buffer_rgba(), *size, QImage.Format.Format_RGBA8888)
        painter = QPainter(self)
        painter.drawImage(self.rect(), picture)
        painter.end()

    def draw_idle(self) -> None:
        """Draw soon; a drawing in progress is restarted."""
        self._pieces = None
        self._turns.start(_REST_MS)

    @property
    def drawing(self) -> bool:
        """Whether a drawing is in progress."""
        return bool(self._turns.isActive())

    def stop_drawing(self) -> None:
        """Abort the drawing in progress: its artists are about to be removed."""
        self._pieces = None
        self._turns.stop()

    def _keep(self, event: DrawEvent) -> None:
        if event.renderer is self.get_renderer():  # not the renderer of a file
            self._drawn = event.renderer

    def _next_piece(self) -> None:
        try:
            if self._pieces is None:
                self._pieces = self._draw_pieces()
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
        if self.get_renderer() is shown:  # otherwise the size has changed, and a new turn is due
            self.renderer = sheet
            self.callbacks.process("draw_event", DrawEvent("draw_event", self, sheet))
            self.update()


def _draw_panel(ax: Axes, sheet: RendererAgg) -> Iterator[None]:
    """Draw a panel in three pieces: its axes take most of the time."""
    sides = (ax.xaxis, ax.yaxis)
    for side in sides:
        side.set_animated(True)  # skipped by the panel's own drawing
    try:
        ax.draw(sheet)
    finally:
        for side in sides:
            side.set_animated(False)
    yield
    for side in sides:
        side.draw(sheet)
        yield


class Overlay:
    """Artists drawn over a stored image of the rest: a vertical line and a ring in every panel.

    Moving them takes a copy of pixels, not a drawing of the figure, and is fast enough to follow a
    slider.
    """

    def __init__(self, canvas: FigureCanvasAgg) -> None:
        self._canvas = canvas
        self._lines: list[tuple[Axes, Line2D]] = []
        self._rings: dict[Axes, Line2D] = {}
        self._others: list[tuple[Axes, Artist]] = []
        self._background: object | None = None
        canvas.mpl_connect("draw_event", self._drawn)
        canvas.mpl_connect("resize_event", self.forget)

    def renew(self, panels: Sequence[Axes], others: Sequence[tuple[Axes, Artist]] = ()) -> None:
        """Make a hidden line in each of the new panels.

        Parameters
        ----------
        others : sequence of (Axes, Artist)
            Further artists in the panels that change while the rest stays.
        """
        self.forget()
        self._lines = [(ax, _vertical_line(ax)) for ax in panels]
        self._rings = {ax: _ring(ax) for ax in panels}
        self._others = list(others)
        for _, artist in self._others:
            artist.set_animated(True)

    def move(self, x: float | None, rings: Sequence[tuple[Axes, float, float]] = ()) -> None:
        """Show the lines at a position on the x axis, or hide them; ring points, no others."""
        at = {ax: (along, up) for ax, along, up in rings}
        for ax, ring in self._rings.items():
            ring.set_visible(ax in at)
            ring.set_data(*([value] for value in at.get(ax, (0.0, 0.0))))
        for _, line in self._lines:
            line.set_visible(x is not None)
            line.set_xdata([x, x] if x is not None else [0, 0])
        self.refresh()

    def refresh(self) -> None:
        """Draw the artists as they are now; do nothing before the figure is drawn."""
        if self._background is not None:
            self._canvas.restore_region(self._background)
            self._draw_artists()
            self._canvas.blit(self._canvas.figure.bbox)

    def forget(self, _: object = None) -> None:
        """Draw nothing until the figure has been drawn: its stored image is out of date."""
        self._background = None

    def _drawn(self, _: DrawEvent) -> None:
        if self._canvas.is_saving():
            return
        self._background = self._canvas.copy_from_bbox(self._canvas.figure.bbox)
        self._draw_artists()

    def _draw_artists(self) -> None:
        for ax, artist in (*self._others, *self._lines, *self._rings.items()):
            ax.draw_artist(artist)


def _vertical_line(ax: Axes) -> Line2D:
    # not axvline: a line far outside must not widen the axis; it ends below the slopes
    line = Line2D(
        [0, 0], [0, 0.76], color=shade(0.35), lw=1.2, animated=True, visible=False,
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip
    ax.add_artist(line)
    return line


def _ring(ax: Axes) -> Line2D:
    ring = Line2D(
        [0], [0], ls="", marker="o", ms=9, mfc="none", mec=shade(0.1), mew=1.6, animated=True,
        visible=False, zorder=5,
    )  # fmt: skip
    ax.add_artist(ring)
    return ring
