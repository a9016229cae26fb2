"""Colours, sizes and margins of plots, from napari's theme."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from matplotlib import rcParams
from matplotlib.colors import to_hex, to_rgb
from matplotlib.layout_engine import ConstrainedLayoutEngine, LayoutEngine
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor, QPalette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI: Final = 96  # Qt's logical resolution; the canvas adds the screen's own scale

_SIZES: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.labelsize": 8.5,
    "figure.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.titlepad": 4,
    "axes.labelpad": 2,
    "axes.linewidth": 0.8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.borderpad": 0.1,
    "legend.columnspacing": 1.2,
    "legend.handlelength": 1.4,
    "legend.handletextpad": 0.5,
}


def plot_style(theme: str) -> dict[str, Any]:
    """Return matplotlib settings in the style of napari's window.

    Parameters
    ----------
    theme : str
        Id of a theme known to napari, ``"system"`` included.

    Returns
    -------
    dict
        Values of ``matplotlib.rcParams``: colours, and font sizes that suit a dock.
    """
    background, text = (_hex(theme, name) for name in ("background", "text"))
    line = to_hex([(a + b) / 2 for a, b in zip(to_rgb(background), to_rgb(text), strict=True)])
    grounds = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), background)
    texts = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.labelcolor")
    lines = ("axes.edgecolor", "xtick.color", "ytick.color")
    return {
        **_SIZES,
        **grounds,
        **dict.fromkeys((*texts, "ytick.labelcolor"), text),
        **dict.fromkeys(lines, line),
    }


def style_ticks(ax: Axes) -> None:
    """Fix the style of ticks: those that matplotlib adds later would follow another."""
    for axis in "x", "y":
        ax.tick_params(
            axis=axis,
            **{
                name: rcParams[f"{axis}tick.{key}"]
                for name, key in (
                    ("color", "color"),
                    ("labelcolor", "labelcolor"),
                    ("labelsize", "labelsize"),
                )
            },
        )


def palette(theme: str) -> QPalette:
    """Return a Qt palette, from which matplotlib's toolbar chooses dark or light icons."""
    colours = QPalette()
    for role, name in (
        (QPalette.ColorRole.Window, "background"),
        (QPalette.ColorRole.Button, "background"),
        (QPalette.ColorRole.WindowText, "icon"),
        (QPalette.ColorRole.ButtonText, "icon"),
    ):
        colours.setColor(role, QColor(_hex(theme, name)))
    return colours


def _hex(theme: str, name: str) -> str:
    return str(getattr(get_theme(theme), name).as_hex())


_SIDE: Final = 48.0  # label of all panels and numbers of the first column
_NUMBERS: Final = 30.0  # of one further column, or of a second axis
_SECOND_LABEL: Final = 16.0
_EDGE: Final = 15.0  # half of the last number below
_TITLE: Final = 20.0
_DEPTHS: Final = 32.0  # numbers and label below the last row
_LEGEND_ROW: Final = 13.0
_LEAST: Final = 10.0  # minimum of a panel, however small the dock


class LayoutWhenAsked(ConstrainedLayoutEngine):
    """Constrained layout of the next drawing only: arranging costs more than drawing."""

    stale = True

    def execute(self, fig: Figure) -> None:
        """Arrange the figure if something has changed since the last time."""
        if not self.stale:
            return
        self.stale = False
        with warnings.catch_warnings():  # a dock may be dragged too small for any arrangement
            warnings.simplefilter("ignore", UserWarning)
            super().execute(fig)


class PanelLayout(LayoutEngine):
    """Layout of panels in rows and columns with fixed margins.

    Measuring every label, as the constrained layout does, would block the window for too long while
    planes are read.

    Attributes
    ----------
    rows, columns : int
        Panels.
    second : bool
        Whether panels have a second axis.
    legend_rows : int
        Rows of the legend below.
    """

    _adjust_compatible = True
    _colorbar_gridspec = True

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.columns, self.second, self.legend_rows = 1, 1, False, 1
        self.stale = True

    def execute(self, fig: Figure) -> None:
        """Place the panels."""
        if not self.stale:
            return
        self.stale = False
        width, height = (72 * float(side) for side in fig.get_size_inches())
        right = _NUMBERS + _SECOND_LABEL if self.second else _EDGE
        bottom = _DEPTHS + _LEGEND_ROW * self.legend_rows
        panel = [
            max(_LEAST, (space - gap * (n - 1)) / n)
            for space, gap, n in (
                (width - _SIDE - right, _NUMBERS, self.columns),
                (height - _TITLE - bottom, _TITLE, self.rows),
            )
        ]
        fig.subplots_adjust(
            left=min(0.4, _SIDE / width),
            right=max(0.6, 1 - right / width),
            bottom=min(0.4, bottom / height),
            top=max(0.6, 1 - _TITLE / height),
            wspace=_NUMBERS / panel[0],
            hspace=_TITLE / panel[1],
        )
