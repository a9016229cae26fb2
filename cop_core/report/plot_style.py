"""How protocols look in every figure: colours, dashes, markers, labels, and shades of text."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib import rcParams
from matplotlib.colors import to_hex, to_rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VALUE_LABEL: Final = "Strength (%)"
DEPTH_LABEL: Final = "Depth (µm)"


@dataclass(frozen=True)
class Look:
    """Colour, dashes and marker of one protocol.

    Attributes
    ----------
    colour : str
        From the palette of Okabe and Ito, told apart with any colour vision.
    dashes : str or tuple
        Style of the fitted line, as matplotlib's ``linestyle``.
    marker : str
        Marker of single values.
    """

    colour: str
    dashes: str | tuple[int, tuple[float, ...]]
    marker: str

    def over(self, ax: Axes) -> tuple[float, ...]:
        """Give the colour for lines over the protocol's own curve, and for text.

        About half as bright as `colour`; on a dark background half as far from white.
        """
        rgb = to_rgb(self.colour)
        if is_dark(ax):
            return tuple(1 - 0.55 * (1 - channel) for channel in rgb)
        return tuple(0.55 * channel for channel in rgb)


LOOKS: Final = (Look("#D55E00", "-", "o"), Look("#0072B2", (0, (4, 1.5)), "s"))
"""Looks of the first and the second protocol: vermilion and blue."""
_FURTHER: Final = (
    Look("#009E73", (0, (1, 1.2)), "D"),
    Look("#CC79A7", (0, (6, 1.5, 1, 1.5)), "^"),
    Look("#E69F00", (0, (8, 2)), "v"),
    Look("#56B4E9", (0, (2, 2)), "P"),
    Look("#000000", (0, (4, 1, 1, 1, 1, 1)), "X"),
)


def looks_of(n: int) -> list[Look]:
    """Return looks for `n` protocols; they repeat from the eighth on."""
    return list(islice(cycle((*LOOKS, *_FURTHER)), n))


def is_dark(ax: Axes) -> bool:
    """Return whether an Axes has a dark background."""
    return float(np.dot(to_rgb(ax.get_facecolor()), (0.2126, 0.7152, 0.0722))) < 0.5


def shade(lightness: float) -> str:
    """Return a colour between text (0) and background (1): a grey where black is on white."""
    text, ground = (np.array(to_rgb(rcParams[x])) for x in ("text.color", "axes.facecolor"))
    return to_hex(text + lightness * (ground - text))


def shown_name(text: str, *, most: int = 40) -> str:
    """Return a name as a figure may show it: shortened, drawable, and never read as a formula.

    Parameters
    ----------
    text : str
        Name of a protocol or component; a stack's metadata may hold anything.
    most : int
        Characters to keep.
    """
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(c if c.isprintable() else "�" for c in short).replace("$", r"\$")
