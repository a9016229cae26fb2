"""How panels are arranged inside a figure."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

from matplotlib.layout_engine import ConstrainedLayoutEngine, LayoutEngine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# in points, for the sizes of `plot_style`
_SIDE: Final = 48.0  # label of all panels and numbers of the first column
_NUMBERS: Final = 30.0  # of one further column, or of a second axis
_SECOND_LABEL: Final = 16.0
_EDGE: Final = 8.0
_TITLE: Final = 20.0
_DEPTHS: Final = 32.0  # numbers and label below the last row
_LEGEND_ROW: Final = 13.0
_LEAST: Final = 10.0  # of a panel, however small the dock


class LayoutWhenAsked(ConstrainedLayoutEngine):
    """Constrained layout of the next drawing only: arranging costs more than drawing."""

    stale = True

    def execute(self, fig: Figure) -> None:
        """Arrange the figure where something has changed since the last time."""
        if not self.stale:
            return
        self.stale = False
        with warnings.catch_warnings():  # a dock may be dragged too small for any arrangement
            warnings.simplefilter("ignore", UserWarning)
            super().execute(fig)


class PanelLayout(LayoutEngine):
    """Panels in rows and columns with margins that are known beforehand.

    Measuring every label, as the constrained layout does, takes longer than a window may stand
    still while planes are read.

    Attributes
    ----------
    rows, columns : int
        Panels.
    second : bool
        Whether they have a second axis.
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
