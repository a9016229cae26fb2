"""The figure of a recommended power in napari's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cop_core.report.power_figure import draw_power
from napari_cop._plot_canvas import PlotWidget

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from qtpy.QtWidgets import QWidget

    from cop_core.power import Recommendation


class PowerPlot(PlotWidget):
    """Fall of the signal, recommended power and what it holds, against depth."""

    EMPTY = "Give the limit and press Recommend power."
    WIDE: ClassVar = 1.6

    def __init__(self, parent: QWidget | None = None, *, theme: str = "dark") -> None:
        super().__init__(parent, theme=theme)
        self._found: Recommendation | None = None
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
        if self._found is not None:
            draw_power(figure, self._found, stacked=self.stacked)
        return self._found is not None
