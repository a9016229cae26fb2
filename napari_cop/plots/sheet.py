"""All panels of strength against depth in one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cop_core.components import CLEAN
from cop_core.report.columns import noises
from cop_core.report.figures import add_legend
from cop_core.report.panels import draw_component, has_depth
from napari_cop.plots.panels import GrowingPanel, Secondary, SecondAxis
from napari_cop.plots.planes import Points
from napari_cop.words import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

    from cop_core.records import AnalysedProfile
    from napari_cop.plots.growing import PlanesSoFar
    from napari_cop.plots.theme import PanelLayout


class Sheet:
    """Panels for every noise component, and one for clean, in an empty figure.

    Parameters
    ----------
    components : sequence of str
        Components with a panel, in the order of `panels_of`.
    reading : PlanesSoFar or None
        Source of the planes while they are read; the panels then show no lines and can be updated
        in place.
    layout : PanelLayout
        Layout of the figure; its rows and columns are set here.
    panels : list of (Axes, str)
        Empty panels to use, from `emptied` or `add_panel`; missing ones are added.
    second : {"none", "power", "signal"}
        Quantity on a second axis of every panel.

    Attributes
    ----------
    panels : list of (Axes, str)
        Each panel and its component.
    points : tuple of Points
        The planes shown, by protocol.
    """

    def __init__(
        self,
        figure: Figure,
        shown: Sequence[AnalysedProfile],
        reading: PlanesSoFar | None,
        layout: PanelLayout,
        panels: list[tuple[Axes, str]],
        *,
        components: Sequence[str],
        columns: int,
        second: Secondary,
    ) -> None:
        self._figure, self._reading, self._columns = figure, reading, columns
        self._layout = layout
        self.depths = has_depth(shown) if reading is None else reading.has_depth()
        layout.rows, layout.columns = -(-len(components) // columns), columns
        self.panels = panels
        while len(panels) < len(components):
            add_panel(figure, panels, components, columns)
        self._growing: list[GrowingPanel] = []
        for ax, component in self.panels:
            self._draw_panel(ax, shown, component)
        self._clear_inner_labels()
        self._seconds = self._make_seconds(second, len(shown))
        self._legend: Legend | None = None
        self._more: dict[str, Artist] = {}
        self._symbols: list[bool] = []
        figure.supylabel("Strength (%)")
        self._ends: tuple[float, float] | None = None
        self.update(shown)

    def update(self, shown: Sequence[AnalysedProfile], *, fit_axes: bool = True) -> bool:
        """Show the planes read so far in place; return whether axes or labels have changed.

        Without `fit_axes` only curves, bands and marks change, unless a curve has left its axis.
        """
        self.points = tuple(Points.of(protocol, depths=self.depths) for protocol in shown)
        parts = (*self._growing, *self._seconds)
        for part in parts:
            part.update(self.points)
        if not fit_axes and not any(panel.outgrown for panel in self._growing):
            return False
        changed = [part.fit() for part in parts]
        changed.append(self._follow_x())
        symbols = [bool(x) for some in self.points for x in (some.kept.any(), some.kept.all())]
        if symbols != self._symbols:
            self._symbols = symbols
            self.explain()
            changed.append(True)
        return any(changed)

    def explain(self, more: dict[str, Artist] | None = None) -> None:
        """Draw the legend, in as many rows as the figure's width requires.

        Parameters
        ----------
        more : dict of str to Artist, optional
            Artists drawn over the panels, kept for later calls.
        """
        self._more = self._more if more is None else more
        if self._legend is not None:
            self._legend.remove()
        shown = [some.protocol for some in self.points]
        self._legend = add_legend(self._figure, shown, profile=True, more=self._more)
        # matplotlib keeps the number of columns, not of rows
        self._layout.legend_rows = -(-len(self._legend.get_texts()) // self._legend._ncols)

    @property
    def growing(self) -> list[tuple[Axes, Artist]]:
        """Artists that change with every plane while planes are read."""
        return (
            [item for panel in (*self._growing, *self._seconds) for item in panel.growing]
            if self._growing
            else []
        )

    def fits(self, components: Sequence[str]) -> bool:
        """Return whether the panels can show other planes with some components."""
        return [own for _, own in self.panels] == [*components] and not self._seconds

    def emptied(self) -> list[tuple[Axes, str]]:
        """Return the panels, emptied."""
        for ax, _ in self.panels:
            for artist in (*ax.lines, *ax.collections, *ax.texts, *ax.patches):
                artist.remove()
            ax.relim()
            ax.set_autoscalex_on(True)
        return self.panels

    def panel_at(self, at: tuple[float, float]) -> tuple[Axes, str] | None:
        """Return the panel at a position in pixels of the figure, and its component."""
        return next((panel for panel in self.panels if panel[0].bbox.contains(*at)), None)

    def x_of(self, protocol: int, plane: int) -> float | None:
        """Return the position of a plane on the x axis; None if not known."""
        if protocol >= len(self.points):
            return None
        x = self.points[protocol].x_of(plane)
        if x is None and self._reading is not None:
            planned = self._reading.positions(protocol)
            x = float(planned[plane]) if plane < len(planned) else None
        return x if x is not None and np.isfinite(x) else None

    def rings(self, protocol: int, plane: int) -> list[tuple[Axes, float, float]]:
        """Return panels in which a plane has a point on the curve, and its position."""
        some = self.points[protocol] if protocol < len(self.points) else None
        planes = () if some is None else some.profile.planes
        row = next((i for i, each in enumerate(planes) if each.index == plane), None)
        if some is None or row is None:
            return []
        index = some.profile.components.index
        return [(ax, float(some.x[row]), float(some.mean[row, index(c)])) for ax, c in self.panels]

    def _draw_panel(self, ax: Axes, shown: Sequence[AnalysedProfile], component: str) -> None:
        if self._reading is None:
            # without depths every panel would repeat this; the x label states it once
            draw_component(ax, shown, component, notes=self.depths)
        else:
            self._growing.append(GrowingPanel(ax, component, len(shown), depths=self.depths))
        ax.set_title(spoken(component))

    def _clear_inner_labels(self) -> None:
        """Label the x axis only in the lowest panel of every column."""
        for ax, _ in self.panels[: -self._columns]:
            ax.set_xlabel("")
            ax.tick_params(labelbottom=False)
        if not self.depths:
            for ax, _ in self.panels[-self._columns :]:
                ax.set_xlabel("Plane (depth unknown)")

    def _make_seconds(self, second: Secondary, protocols: int) -> list[SecondAxis]:
        self._layout.second = second != "none"
        if second == "none":
            return []
        last, columns = len(self.panels) - 1, self._columns
        right = [i for i in range(last + 1) if i == last or i % columns == columns - 1]
        return [
            SecondAxis(
                ax,
                second,
                protocols,
                lines=0 if self._reading else protocols,
                numbered=i in right,
                labelled=i == right[(len(right) - 1) // 2],  # one is enough for a column
            )
            for i, (ax, _) in enumerate(self.panels)
        ]

    def _follow_x(self) -> bool:
        """End the x axis at the last planned plane, unless zoomed; return whether it moved."""
        ends = None if self._reading is None else self._reading.x_range()
        first = self.panels[0][0]
        zoomed = self._ends is not None and first.get_xlim() != self._ends
        if ends is None or ends == self._ends or zoomed:
            return False
        first.set_xlim(ends)
        self._ends = first.get_xlim()
        return True


def add_panel(
    figure: Figure, panels: list[tuple[Axes, str]], components: Sequence[str], columns: int
) -> None:
    """Add the next panel of a sheet of these components to a figure, and to `panels`."""
    i = len(panels)
    first = panels[0][0] if panels else None
    ax = figure.add_subplot(-(-len(components) // columns), columns, i + 1, sharex=first)
    panels.append((ax, components[i]))


def panels_of(components: Sequence[str]) -> list[str]:
    """Return the strengths in the order of their panels: clean last."""
    return [*noises(components), *(c for c in components if c == CLEAN)]
