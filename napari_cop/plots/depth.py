"""Strength against depth: panels that grow while planes are read, then show the lines."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, get_args

from qtpy.QtCore import Signal
from superqt.utils import QSignalThrottler

from cop_core.report.figures import styled
from napari_cop.plots.canvas import Overlay, PlotWidget
from napari_cop.plots.growing import PlanesSoFar
from napari_cop.plots.panels import Secondary
from napari_cop.plots.plane_mouse import PlaneMouse
from napari_cop.plots.sheet import Sheet, add_panel, panels_of
from napari_cop.plots.theme import PanelLayout, plot_style, style_ticks
from napari_cop.plots.usable import mark_usable
from napari_cop.words import leading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from qtpy.QtWidgets import QWidget

    from cop_core.records import AnalysedProfile, PlaneEstimate, Result

_SHARE: Final = 0.2
"""Maximum share of the time for drawing curves."""


_LEAST_PANEL_PX: Final = 190
"""Width of a panel that has room for the slopes above its curves."""
_LEAD_ROWS: Final = 2
"""Minimum height of the one large panel, in rows of panels."""


class DepthPlots(PlotWidget):
    """Panels of strength against depth that grow while planes are read.

    Parameters
    ----------
    lead : bool
        Whether to show only the noise that determines usable depths, large, with these depths.
    """

    plane_clicked = Signal(int, int)
    """Number of the protocol and index of its plane, when a point is clicked."""
    drawn = Signal(float)
    """All planes added before a time, in s as `time.time` counts, are on the screen."""

    EMPTY = "Choose a stack and press Run."
    REDRAW_MS: ClassVar = 400
    """Minimum time in ms between two drawings while planes arrive."""

    REFIT_S: ClassVar = 4.0
    """Minimum time in s between two changes of the axes, which require a drawing of everything.

    A curve that has left its axis is not delayed."""

    def __init__(
        self, parent: QWidget | None = None, *, theme: str = "dark", lead: bool = False
    ) -> None:
        self._grid = PanelLayout()
        super().__init__(parent, theme=theme, layout=self._grid)
        self._lead = lead
        self._columns = self._fitting_columns
        self._second: Secondary = "none"
        self._reading: PlanesSoFar | None = None
        self._result: Result | None = None
        self._sheet: Sheet | None = None
        self._mark: tuple[int, int] | None = None
        self._fitted = self._updated = 0.0
        self._panels: list[tuple[Axes, str]] = []
        self._made: tuple[str, list[tuple[Axes, str]]] = ("", [])
        self._begun = False
        self._styled: tuple[str, Secondary] | None = None
        self._overlay = Overlay(self.canvas)
        self.canvas.mpl_connect("draw_event", lambda _: self.drawn.emit(self._updated))
        self._mouse = PlaneMouse(self, lambda: self._sheet)
        self._mouse.plane_clicked.connect(self.plane_clicked)
        self._growth = QSignalThrottler(QSignalThrottler.EmissionPolicy.Leading, parent=self)
        self._growth.setTimeout(self.REDRAW_MS)
        self._growth.triggered.connect(self._grow)
        self.rebuild()

    def begin(
        self,
        names: Sequence[str],
        components: Sequence[str],
        depth_um: Sequence[npt.NDArray[np.float64]],
    ) -> list[Callable[[], None]]:
        """Return steps that show empty panels for stacks about to be read.

        None of them takes long; `add` may be called in between.

        Parameters
        ----------
        depth_um : sequence of ndarray of shape (planes,)
            Depths in µm of each protocol's planes; all NaN if not known (x is then the plane
            number), empty if the planes to come are not known either.
        """
        self._result = None
        self._reading = PlanesSoFar(tuple(names), tuple(components), tuple(depth_um))
        self._fitted, self._begun = 0.0, False
        if self._fitting_sheet() is not None:
            return [self.rebuild]
        self._made = (self._theme, [])
        panels = self.components_of(components)
        add = partial(self._add_panel, self._made, panels)
        return [*[add] * len(panels), self.rebuild]

    def components_of(self, components: Sequence[str]) -> list[str]:
        """Return the strengths that have a panel."""
        return [leading(components)] if self._lead else panels_of(components)

    def _add_panel(
        self, made: tuple[str, list[tuple[Axes, str]]], components: Sequence[str]
    ) -> None:
        """Make a panel for the next drawing, unless everything has been redrawn in between."""
        if made is not self._made:
            return
        theme, panels = made
        with styled(plot_style(theme)):
            add_panel(self._figure, panels, components, self._columns)
            style_ticks(panels[-1][0])

    def add(self, protocol: int, estimate: PlaneEstimate) -> None:
        """Add a plane, to be shown with the next drawing.

        Parameters
        ----------
        protocol : int
            Position among the names given to `begin`.
        estimate : PlaneEstimate
            The plane; it replaces one of the same index.
        """
        if self._reading is not None:
            self._reading.planes[protocol][estimate.index] = estimate
            self._growth.throttle()

    def plan(self, protocol: int, planes: int | None) -> None:
        """Set the number of planes of a protocol, which may show with the next drawing."""
        if self._reading is not None:
            self._reading.planned[protocol] = planes

    def show_result(self, result: Result) -> None:
        """Show a result: lines, slopes and R2, or usable depths."""
        self._reading = PlanesSoFar.of(result) if self._lead else None
        self._result = result
        self.rebuild_when_seen()

    def clear(self) -> None:
        """Show only the advice."""
        self._reading = self._result = self._mark = None
        self.rebuild()

    def mark_plane(self, protocol: int, plane: int | None) -> None:
        """Mark a plane's depth in every panel, and ring its points.

        Parameters
        ----------
        plane : int or None
            Index of the plane; None removes the mark.
        """
        self._mark = None if plane is None else (protocol, plane)
        self._move_mark()

    def set_secondary(self, what: Secondary) -> None:
        """Show power or mean signal on a second axis of every panel.

        Parameters
        ----------
        what : {"none", "power", "signal"}
            Power in mW, mean signal in counts.
        """
        if what not in get_args(Secondary):
            raise ValueError(f"{what!r} is not one of {', '.join(get_args(Secondary))}")
        if what != self._second:
            self._second = what
            self.rebuild()

    def kept_axes(self) -> list[Axes]:
        """Return the panels if the next ones are for the same strengths in the same style."""
        fitting = self._fitting_sheet()
        theme, self._panels = self._made
        if fitting is not None:
            self._panels = fitting.emptied()
        elif not self._shown() or theme != self._theme:
            self._panels = []
        self._made = ("", [])
        self._styled = (self._theme, self._second)
        return [ax for ax, _ in self._panels]

    def _fitting_sheet(self) -> Sheet | None:
        """Return the current sheet if its panels can be used for the new content."""
        shown, sheet = self._shown(), self._sheet
        styled_so = self._styled == (self._theme, self._second)
        if sheet is None or not shown or not styled_so:
            return None
        panels = self.components_of(shown[0].profile.components)
        return sheet if sheet.fits(panels) else None

    def draw_into(self, figure: Figure) -> bool:
        """Draw the panels, for growth or with the result."""
        shown = self._shown()
        self._sheet, self._begun = None, True
        if shown:
            self._sheet = Sheet(
                figure,
                shown,
                self._reading,
                self._grid,
                self._panels,
                components=self.components_of(shown[0].profile.components),
                columns=self._columns,
                second=self._second,
            )
            self.keep_room(_LEAD_ROWS if self._lead else self._grid.rows)
            if self._lead and self._result is not None:
                ax, _ = self._sheet.panels[0]
                self._sheet.explain(mark_usable(ax, self._result, self._sheet.points))
        panels = [ax for ax, _ in self._sheet.panels] if self._sheet else []
        self._overlay.renew(panels, self._sheet.growing if self._sheet else [])
        self._move_mark()
        return self._sheet is not None

    def resized(self) -> None:
        """Arrange panels in columns, and the legend in rows, as fits."""
        if self._columns != self._fitting_columns:
            self._columns, self._styled = self._fitting_columns, None
            self.rebuild()
        elif self._sheet is not None:
            with styled(plot_style(self._theme)):
                self._sheet.explain()

    @property
    def _fitting_columns(self) -> int:
        """Number of columns of panels for which the canvas has room."""
        wide = self.canvas.width() >= 2 * _LEAST_PANEL_PX
        return 2 if wide and not self._lead else 1

    def _shown(self) -> tuple[AnalysedProfile, ...]:
        if self._reading is not None:
            return self._reading.analysed()
        return () if self._result is None else self._result.analysed

    def _grow(self) -> None:
        """Show the planes read so far, in place if the axes do not change."""
        if self._reading is None or self._sheet is None or not self._begun:
            return
        if self._sheet.depths != self._reading.has_depth():
            self.rebuild()
            return
        now = time.monotonic()
        fit_axes = now - self._fitted >= self.REFIT_S
        self._updated = time.time()
        with styled(plot_style(self._theme)):
            changed = self._sheet.update(self._reading.analysed(), fit_axes=fit_axes)
        if changed:
            self._fitted = now
            self._overlay.forget()
            self.arrange()
        elif not self.canvas.drawing:
            self._overlay.refresh()
            self.drawn.emit(self._updated)
        taken_ms = 1000 * (time.monotonic() - now)
        self._growth.setTimeout(max(self.REDRAW_MS, round(taken_ms / _SHARE)))

    def _move_mark(self) -> None:
        if self._mark is None or self._sheet is None:
            self._overlay.move(None)
        else:
            rings = self._sheet.rings(*self._mark)
            self._overlay.move(self._sheet.x_of(*self._mark), rings)
