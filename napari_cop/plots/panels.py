"""Parts of a panel of strength against depth that are updated in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from cop_core.report.panels import (
    band_edges,
    curve_marker,
    draw_curve,
    draw_dotted,
    draw_excluded,
    draw_floor,
    fill_band,
    frame,
    mark_height,
    power_label,
    set_height,
)
from cop_core.report.plot_style import LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from napari_cop.plots.planes import Points

Secondary = Literal["none", "power", "signal"]
_SIGNAL: Final = "Mean signal (counts)"

_ROOM = 2.0  # of the highest value: the axis, and with it the figure, then changes seldom
_LEAST: Final = 1.0  # per cent of height: curves within it can hardly be distinguished from 0
_WHOLE: Final = 100.0  # per cent, above which no strength can rise
_NOTHING: Final = np.array([np.nan])


class GrowingPanel:
    """Curve, SD band and planes left out of one strength, updated in place as planes arrive.

    Parameters
    ----------
    depths : bool
        Whether x is depth or plane number.
    """

    def __init__(self, ax: Axes, component: str, protocols: int, *, depths: bool) -> None:
        self.ax, self.component = ax, component
        looks = LOOKS[:protocols]
        self._bands = [fill_band(ax, _NOTHING, _NOTHING, _NOTHING, look) for look in looks]
        self._curves = [draw_curve(ax, _NOTHING, _NOTHING, look) for look in looks]
        self._marks = [draw_excluded(ax, _NOTHING, row) for row in range(protocols)]
        frame(ax, component, depths=depths)
        draw_floor(ax)
        self._highest = 0.0
        self._set_top(_LEAST)

    @property
    def growing(self) -> list[tuple[Axes, Artist]]:
        """Artists that change with every plane, from back to front."""
        return [(self.ax, artist) for artist in (*self._bands, *self._curves, *self._marks)]

    def update(self, points: Sequence[Points]) -> None:
        """Show the planes read so far, on the axis as it is."""
        highest = 0.0
        for row, (some, look) in enumerate(zip(points, LOOKS, strict=False)):
            index = some.profile.components.index(self.component)
            mean = some.mean[:, index]
            low, high = band_edges(mean, some.sd[:, index])
            self._bands[row].set_data(some.x, low, high)
            self._curves[row].set_data(some.x, mean)
            self._curves[row].set_marker(curve_marker(mean, look))
            left_out = some.x[~some.kept]
            self._marks[row].set_data(left_out, np.full(len(left_out), mark_height(row)))
            highest = max(highest, np.nan_to_num(high).max(initial=0.0))
        self._highest = highest

    @property
    def outgrown(self) -> bool:
        """Whether a curve leaves the axis, and the user has not zoomed."""
        return self._highest > self._top and not self._zoomed

    def fit(self) -> bool:
        """Fit the axis to the height of the curves; return whether it has changed."""
        lost = self._highest < 0.2 * self._top and self._top > _LEAST
        if not self.outgrown and (self._zoomed or not lost or not self._highest):
            return False
        self._set_top(max(self._highest, _LEAST, min(_ROOM * self._highest, _WHOLE)))
        return True

    @property
    def _zoomed(self) -> bool:
        return self.ax.get_ylim() != self._limits

    def _set_top(self, top: float) -> None:
        self._top = top
        set_height(self.ax, top, lines=0, foot=True)
        self._limits = self.ax.get_ylim()


class SecondAxis:
    """Power or signal of the planes, dotted, with its own axis on the right of a panel.

    Parameters
    ----------
    numbered, labelled : bool
        Whether the axis has numbers, and a label.
    """

    def __init__(
        self,
        ax: Axes,
        what: Secondary,
        protocols: int,
        *,
        lines: int,
        numbered: bool,
        labelled: bool,
    ) -> None:
        self._panel, self._what, self._text_lines = ax, what, lines
        self._numbered, self._labelled = numbered, labelled
        self.ax = ax.twinx()
        self._lines = [draw_dotted(self.ax, _NOTHING, _NOTHING, look) for look in LOOKS[:protocols]]
        self.ax.spines[["top", "left", "bottom"]].set_visible(False)
        self._stated: bool | None = None
        self._top = 0.0
        self._tops = [0.0]
        self._label = power_label(()) if what == "power" else _SIGNAL

    @property
    def growing(self) -> list[tuple[Axes, Artist]]:
        """What changes with every plane."""
        return [(self.ax, line) for line in self._lines]

    def update(self, points: Sequence[Points]) -> None:
        """Show the planes read so far, on the axis as it is."""
        tops = [0.0]
        for line, some in zip(self._lines, points, strict=True):
            y = np.array([getattr(p, self._what) for p in some.profile.planes], float)
            line.set_data(some.x, y)
            tops += y[np.isfinite(y)].tolist()
        self._tops = tops
        of_power = self._what == "power"
        self._label = power_label(some.profile for some in points) if of_power else _SIGNAL

    def fit(self) -> bool:
        """Fit the axis to the planes; return whether it, or its label, has changed."""
        stated, top = len(self._tops) > 1, max(self._tops)
        if stated == self._stated and 0.4 * self._top <= top <= self._top:
            return False
        self._stated, self._top = stated, 1.12 * top or 1.0
        # with the panel's room for marks: both axes then have 0 at the same height
        set_height(self.ax, self._top, lines=self._text_lines, foot=self._panel.get_ylim()[0] < 0)
        self.ax.spines["right"].set_bounds(0, self.ax.get_ylim()[1])
        self.ax.tick_params(right=stated, labelright=stated and self._numbered)
        if self._labelled:
            self.ax.set_ylabel(f"{self._label}, {'dotted' if stated else 'not stated'}")
        return True
