"""Colours and sizes of plots, after napari's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib import rcParams
from matplotlib.colors import to_hex, to_rgb
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor, QPalette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    """Return what makes matplotlib draw like the rest of napari's window.

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
    """Give ticks the current style for good: those that matplotlib adds later follow no other."""
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
    """Return a Qt palette, by which matplotlib's toolbar chooses dark or light icons."""
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
