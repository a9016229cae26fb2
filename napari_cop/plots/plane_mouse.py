"""The mouse over a plot: a tool tip for the plane under it, and clicks on planes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import QToolTip
from superqt.utils import QSignalThrottler

from napari_cop.plots.planes import describe, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from matplotlib.backend_bases import LocationEvent, MouseEvent

    from cop_core.records import PlaneEstimate
    from napari_cop.plots.canvas import PlotWidget
    from napari_cop.plots.sheet import Sheet

    Array = npt.NDArray[np.float64]


_HOVER_MS: Final = 40
_REACH_PX: Final = 8
_LEFT: Final = 1


class PlaneMouse(QObject):
    """Shows a tool tip and reports the plane nearest to a click, unless the user zooms or pans.

    Parameters
    ----------
    sheet : callable
        Returns the panels shown; None if there are none.
    """

    plane_clicked = Signal(int, int)
    """Number of the protocol and index of its plane."""

    def __init__(self, plot: PlotWidget, sheet: Callable[[], Sheet | None]) -> None:
        super().__init__(plot)
        self._plot, self._sheet = plot, sheet
        self._at: tuple[float, float] | None = None
        self._telling = False
        self._hover = QSignalThrottler(parent=self)
        self._hover.setTimeout(_HOVER_MS)
        self._hover.triggered.connect(self._tell)
        plot.canvas.mpl_connect("button_press_event", self._pressed)
        plot.canvas.mpl_connect("motion_notify_event", self._moved)
        plot.canvas.mpl_connect("figure_leave_event", self._left)

    def _pressed(self, event: MouseEvent) -> None:
        found = self._find((event.x, event.y), reach=math.inf)
        if found is not None and event.button == _LEFT:
            protocol, plane, _ = found
            self.plane_clicked.emit(protocol, plane.index)

    def _moved(self, event: MouseEvent) -> None:
        self._at = event.x, event.y
        self._hover.throttle()

    def _left(self, _: LocationEvent) -> None:
        self._at = None
        self._hover.throttle()

    def _find(
        self, at: tuple[float, float] | None, *, reach: float = _REACH_PX
    ) -> tuple[int, PlaneEstimate, str] | None:
        """Return protocol, plane and component near a position in pixels of the figure."""
        sheet = self._sheet()
        if at is None or sheet is None or self._plot.toolbar.mode:
            return None
        panel = sheet.panel_at(at)
        if panel is None:
            return None
        ax, component = panel
        within = reach * self._plot.canvas.device_pixel_ratio
        found = nearest(sheet.points, ax, component, at, within)
        return None if found is None else (*found, component)

    def _tell(self) -> None:
        found, sheet = self._find(self._at), self._sheet()
        if found is not None and sheet is not None:
            protocol, plane, component = found
            text = describe(sheet.points[protocol], plane, component)
            QToolTip.showText(QCursor.pos(), text, self._plot.canvas)
        elif self._telling:
            QToolTip.hideText()
        self._telling = found is not None
