"""What moves over a figure without the figure being drawn: growing curves, the current plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from cop_core.report.plot_style import shade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import DrawEvent
    from matplotlib.backends.backend_agg import FigureCanvasAgg


class Overlay:
    """Artists drawn over a kept picture of the rest: a vertical line in every panel, and others.

    Moving them costs a copy of pixels, not a drawing of the figure, so they can follow a slider.

    Parameters
    ----------
    canvas : FigureCanvasAgg
        The canvas, inside Qt.
    """

    def __init__(self, canvas: FigureCanvasAgg) -> None:
        self._canvas = canvas
        self._lines: list[tuple[Axes, Line2D]] = []
        self._others: list[tuple[Axes, Artist]] = []
        self._background: object | None = None
        canvas.mpl_connect("draw_event", self._drawn)
        canvas.mpl_connect("resize_event", self.forget)

    def renew(self, panels: Sequence[Axes], others: Sequence[tuple[Axes, Artist]] = ()) -> None:
        """Make a hidden line in each of the panels, which have just been made.

        Parameters
        ----------
        panels : sequence of Axes
            The panels.
        others : sequence of (Axes, Artist)
            Further artists of theirs that change while the rest stays.
        """
        self.forget()
        self._lines = [(ax, _vertical_line(ax)) for ax in panels]
        self._others = list(others)
        for _, artist in self._others:
            artist.set_animated(True)

    def move(self, x: float | None) -> None:
        """Show the lines at a position on the x axis, or hide them."""
        for _, line in self._lines:
            line.set_visible(x is not None)
            line.set_xdata([x, x] if x is not None else [0, 0])
        self.refresh()

    def refresh(self) -> None:
        """Draw the artists as they are now; nothing before the figure is drawn."""
        if self._background is not None:
            self._canvas.restore_region(self._background)
            self._draw_artists()
            self._canvas.blit(self._canvas.figure.bbox)

    def forget(self, _: object = None) -> None:
        """Draw nothing until the figure has been drawn: what is kept of it no longer holds."""
        self._background = None

    def _drawn(self, _: DrawEvent) -> None:
        if self._canvas.is_saving():
            return
        self._background = self._canvas.copy_from_bbox(self._canvas.figure.bbox)
        self._draw_artists()

    def _draw_artists(self) -> None:
        for ax, artist in (*self._others, *self._lines):
            ax.draw_artist(artist)


def _vertical_line(ax: Axes) -> Line2D:
    # not axvline: a line far outside must not widen the axis
    line = Line2D(
        [0, 0], [0, 1], color=shade(0.35), lw=1.2, animated=True, visible=False,
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip
    ax.add_artist(line)
    return line
