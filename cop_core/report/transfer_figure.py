"""The figure of a detector: variance against mean, and the residuals of the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.components import SDS_OF_95
from cop_core.report.estimates import interval_texts
from cop_core.report.figures import page_wide
from cop_core.report.plot_style import LOOKS, shade, shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.records import PhotonTransfer, TransferPoints

Array = npt.NDArray[np.float64]

_LIT, _DARK = LOOKS


def transfer_figure(found: PhotonTransfer, *, stacked: bool = False) -> Figure:
    """Draw the photon transfer line with its points, and their distances from it.

    `stacked` panels lie below each other, not side by side, and leave the numbers to the text
    beside them.
    """
    rows, columns = (2, 1) if stacked else (1, 2)
    figure = page_wide(height_in=2.6 * rows)
    line, rest = (figure.add_subplot(rows, columns, i + 1) for i in range(2))
    _draw_line(line, found)
    if not stacked:
        _name_line(line, found)
    _draw_rest(rest, found)
    for ax in (line, rest):
        ax.set_xlabel("Mean (counts)")
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_line(ax: Axes, found: PhotonTransfer) -> None:
    zero, mean = found.detector.zero_counts.value, found.points.mean
    x = np.array([min(zero, float(mean.min())), float(mean.max())])
    ax.plot(x, _line(found, x), color=shade(0), lw=1)
    _draw_points(ax, found.points, found.points.variance, _LIT.colour, "movie")
    if len(found.dark.mean):
        _draw_points(ax, found.dark, found.dark.variance, _DARK.colour, "dark frames")
        ax.legend(loc="lower right", frameon=False)
    ax.set_title(shown_name(found.name))
    ax.set_ylabel("Variance (counts²)")


def _name_line(ax: Axes, found: PhotonTransfer) -> None:
    """Write the result beside the line."""
    estimates = (found.detector.counts_per_photon, found.detector.zero_counts)
    shown = [interval_texts(estimate) for estimate in estimates]
    text = "{} [{}, {}] counts per photon\n".format(*shown[0])
    text += "zero at {} [{}, {}] counts".format(*shown[1])
    ax.text(0.03, 0.97, text, transform=ax.transAxes, va="top", size="small")


def _draw_rest(ax: Axes, found: PhotonTransfer) -> None:
    for points, look in ((found.points, _LIT), (found.dark, _DARK)):
        if len(points.mean):
            expected = _line(found, points.mean)
            _draw_points(ax, points, 100 * (points.variance / expected - 1), look.colour, "",
                         100 / expected)  # fmt: skip
    ax.axhline(0, color=shade(0), lw=0.7)
    ax.set_title("Off the line")
    ax.set_ylabel("Variance off the line (%)")


def _draw_points(
    ax: Axes,
    points: TransferPoints,
    height: Array,
    colour: str,
    name: str,
    scale: Array | float = 1.0,
) -> None:
    error = SDS_OF_95 * points.error * np.asarray(scale)
    ax.errorbar(points.mean, height, error, fmt="o", ms=2.5, lw=0.7, color=colour, label=name)


def _line(found: PhotonTransfer, mean: Array) -> Array:
    """Return the variance of the line at a mean."""
    away = np.asarray(mean, np.float64) - found.line_zero_counts
    return np.asarray(found.detector.counts_per_photon.value * away)
