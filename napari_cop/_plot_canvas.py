"""A figure inside Qt that follows napari's theme: what the plots of the plugin share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from matplotlib.backends.backend_qtagg import NavigationToolbar2QT
from matplotlib.figure import Figure
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cop_core.report.figures import styled
from napari_cop._piecework import PieceworkCanvas
from napari_cop._plot_layout import LayoutWhenAsked, PanelLayout
from napari_cop._theme import DPI, palette, plot_style, style_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from qtpy.QtGui import QShowEvent


class PlotToolbar(NavigationToolbar2QT):
    """Home, pan, zoom and save."""

    toolitems: ClassVar = [
        item
        for item in NavigationToolbar2QT.toolitems
        if item[0] in {"Home", "Pan", "Zoom", "Save"}
    ]


class PlotWidget(QWidget):
    """Base of the plots: a canvas, drawn anew by `draw_into` when its content or theme changes.

    A subclass calls `rebuild` when it is ready to draw.

    Parameters
    ----------
    parent : QWidget or None
        Owner of the widget.
    theme : str
        Id of napari's theme.
    layout : LayoutWhenAsked or PanelLayout, optional
        Arranges the figure; the former where not given.
    """

    EMPTY: ClassVar[str]
    """What to do while there is nothing to show."""
    WIDE: ClassVar = 0.0
    """Width over height from which panels lie side by side."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        theme: str = "dark",
        layout: LayoutWhenAsked | PanelLayout | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._stacked = True
        self._layout = layout or LayoutWhenAsked(w_pad=0.05, h_pad=0.04)
        self._figure = Figure(figsize=(4.8, 5.4), dpi=DPI, layout=self._layout)
        self.canvas = PieceworkCanvas(self._figure)
        self.canvas.setMinimumSize(240, 200)
        self.canvas.mpl_connect("resize_event", lambda _: self._resized())
        self.toolbar = PlotToolbar(self.canvas, self, coordinates=False)
        self.toolbar.setIconSize(QSize(18, 18))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.toolbar)
        box.addWidget(self.canvas, stretch=1)

    def figure(self) -> Figure:
        """Return the figure, for saving or inspection."""
        return self._figure

    @property
    def stacked(self) -> bool:
        """Whether the widget's shape asks for panels below each other."""
        width, height = self._figure.get_size_inches()
        return bool(width < self.WIDE * height)

    def set_theme(self, theme: str) -> None:
        """Draw in the colours of another napari theme."""
        self._theme = theme
        self.rebuild()

    def rebuild(self) -> None:
        """Draw everything anew."""
        style = plot_style(self._theme)
        self.canvas.stop_drawing()
        kept = [self._figure.patch, *self.kept_axes()]
        for artist in self._figure.get_children():
            if artist not in kept:
                artist.remove()  # Figure.clear would first reset every panel, which takes long
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

    def kept_axes(self) -> list[Axes]:
        """Return axes, emptied, that `draw_into` will use again: making them takes long."""
        return []

    def draw_into(self, figure: Figure) -> bool:
        """Draw into an empty figure; return False, with nothing drawn, where there is nothing."""
        raise NotImplementedError

    def resized(self) -> None:
        """Adapt to the figure's new size before it is drawn: panels change between both ways."""
        if self._stacked != self.stacked:
            self.rebuild()

    def arrange(self) -> None:
        """Arrange labels and panels with the next drawing."""
        self._layout.stale = True
        self.redraw()

    def redraw(self) -> None:
        """Draw soon, unless the widget is hidden; then when it is shown."""
        if self.isVisible():
            self.canvas.draw_idle()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Draw what has changed while the widget was hidden."""
        super().showEvent(event)
        self.canvas.draw_idle()

    def _resized(self) -> None:
        self._layout.stale = True
        self.resized()
