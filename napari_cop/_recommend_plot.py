"""The figure of a recommended power in napari's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cop_core.power.figure import draw_power
from napari_cop._plot_canvas import PlotWidget

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from qtpy.QtWidgets import QWidget

    from cop_core.power import Recommendation

_WIDE: Final = 1.6
"""Width against height from which the panels stand side by side."""


class PowerPlot(PlotWidget):
    """Fall of the signal, recommended power and what it holds, against depth."""

    EMPTY = "Give the limit and press Recommend power."

    def __init__(self, parent: QWidget | None = None, *, theme: str = "dark") -> None:
        super().__init__(parent, theme=theme)
        self._found: Recommendation | None = None
        self._stacked = True
        self.rebuild()

    def show_recommendation(self, found: Recommendation) -> None:
        """Show a recommendation."""
        self._found = found
        self.rebuild()

    def clear(self) -> None:
        """Show nothing but what to do next."""
        self._found = None
        self.rebuild()

    def draw_into(self, figure: Figure) -> bool:
        """Draw the three panels, below or beside each other."""
        self._stacked = self._is_tall()
        if self._found is not None:
            draw_power(figure, self._found, stacked=self._stacked)
        return self._found is not None

    def resized(self) -> None:
        """Turn rows into columns, or back, where the widget's shape asks for it."""
        if self._stacked != self._is_tall():
            self.rebuild()

    def _is_tall(self) -> bool:
        width, height = self._figure.get_size_inches()
        return bool(width < _WIDE * height)
