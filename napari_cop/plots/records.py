"""Figures of complete records: effects, recommended power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cop_core.report.figures import draw_effects
from cop_core.report.power_figure import draw_power
from napari_cop.plots.canvas import PlotWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure
    from qtpy.QtWidgets import QWidget


class RecordPlots(PlotWidget):
    """Panels of a record, below or beside each other."""

    DRAW: ClassVar[Callable[..., Any]]
    """Draws a record into an empty figure."""
    STACKED_PX: ClassVar = 520
    BESIDE_PX: ClassVar = 260
    """Height in pixels of panels below, and beside, each other."""

    def __init__(self, parent: QWidget | None = None, *, theme: str = "dark") -> None:
        super().__init__(parent, theme=theme)
        self._record: Any = None
        self.rebuild_when_seen()

    def show_record(self, record: Any) -> None:
        """Show a record."""
        self._record = record
        self.rebuild_when_seen()

    def clear(self) -> None:
        """Show only the advice."""
        self.show_record(None)

    def draw_into(self, figure: Figure) -> bool:
        """Draw the panels, if there is a record."""
        if self._record is not None:
            self.canvas.setMinimumHeight(self.STACKED_PX if self.stacked else self.BESIDE_PX)
            type(self).DRAW(figure, self._record, stacked=self.stacked)
        return self._record is not None


class EffectPlots(RecordPlots):
    """Slopes, R2 and Cohen's d of the noise components, of a comparison."""

    EMPTY = "Compare two stacks to see the differences."
    WIDE: ClassVar = 1.8
    DRAW: ClassVar = staticmethod(draw_effects)


class PowerPlots(RecordPlots):
    """Decrease of the signal, recommended power and the quantity it holds, against depth."""

    EMPTY = "Enter the limit and press Recommend a power."
    WIDE: ClassVar = 1.6
    DRAW: ClassVar = staticmethod(draw_power)
