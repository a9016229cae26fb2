"""Panels of a comparison, one row per noise: slopes, R2, Cohen's d.

Each is drawn into an Axes that the caller owns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cop_core.report.columns import label, noises
from cop_core.report.plot_style import LOOKS, Look, shade, shown_name
from cop_core.report.results import EFFECT
from cop_core.statistics.effect_size import F2_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from cop_core.records import Comparison, SlopeFit


def draw_slopes(ax: Axes, result: Comparison) -> None:
    """Draw slopes with their 95 % interval, and p of their difference on the right."""
    for y, fit, look in _fits(result, apart=0.28):
        low, high = (1e4 * x for x in fit.slope_ci95)
        _draw_interval(ax, y, 1e4 * fit.slope_per_um, (low, high), look)
    for row, component in enumerate(noises(result.components)):
        _note_right(ax, row, EFFECT["p_holm"].text(result.of(component).difference.p_holm))
    ax.axvline(0, color=shade(0.6), lw=0.8, zorder=0)
    test = "naive p" if result.options.rule == "paper" else "p"
    _head_right(ax, f"difference,\n{test} (Holm)")
    _rows(ax, result, "Slope and 95 % CI (% per 100 µm)")


def draw_r2(ax: Axes, result: Comparison) -> None:
    """Draw the R2 of the lines."""
    for y, fit, look in _fits(result, apart=0.34):
        ax.barh(y, np.nan_to_num(fit.r2), height=0.3, color=look.colour)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1])
    _rows(ax, result, "$R^2$ of the line")


def draw_cohen_d(ax: Axes, result: Comparison) -> None:
    """Draw Cohen's d with its 95 % interval, and its class on the right."""
    look = Look(shade(0.2), "-", "D")
    for row, component in enumerate(noises(result.components)):
        effect = result.of(component).difference
        _draw_interval(ax, row, effect.cohen_d, effect.cohen_d_ci95, look)
        _note_right(ax, row, effect.cohen_d_class.removesuffix(F2_SUFFIX))
    ax.axvline(0, color=shade(0.6), lw=0.8, zorder=0)
    _head_right(ax, "size, by the\nf2 convention" if result.options.rule == "paper" else "size")
    first, second = (shown_name(p.name, most=12) for p in result.analysed)
    _rows(ax, result, f"Cohen's d and 95 % CI\n({first} minus {second})")


def _fits(result: Comparison, *, apart: float) -> Iterator[tuple[float, SlopeFit, Look]]:
    """Yield height, fit and look of both protocols, one row per noise."""
    for row, component in enumerate(noises(result.components)):
        effect = result.of(component)
        for fit, look, side in zip((effect.first, effect.second), LOOKS, (-1, 1), strict=True):
            yield row + side * apart / 2, fit, look


def _draw_interval(
    ax: Axes, y: float, value: float, interval: tuple[float, float], look: Look
) -> None:
    if np.isfinite(interval).all():
        ax.plot(interval, [y, y], color=look.colour, lw=1.2, solid_capstyle="butt")
    ax.plot([value], [y], color=look.colour, marker=look.marker, ms=4, ls="")


def _note_right(ax: Axes, y: float, text: str) -> None:
    ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), ha="left", va="center", size="small")


def _head_right(ax: Axes, text: str) -> None:
    """Head the column of notes, above the first row however low the rows are."""
    ax.text(1.02, 1, text, transform=ax.transAxes, ha="left", va="bottom", size="small")


def _rows(ax: Axes, result: Comparison, x_label: str) -> None:
    """Name the rows, first component on top."""
    names = [shown_name(label(c), most=24) for c in noises(result.components)]
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(x_label)
    ax.spines[["top", "right", "left"]].set_visible(False)
