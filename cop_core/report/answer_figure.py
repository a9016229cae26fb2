"""The answer of a comparison as one figure: the noise that differs large, the others beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cop_core.report.columns import label, noises
from cop_core.report.figures import page_wide
from cop_core.report.panels import draw_curve, draw_smoothed
from cop_core.report.plot_style import DEPTH_LABEL, LOOKS, Look, shade, shown_name

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    from cop_core.records import (
        Band,
        Comparison,
        ComponentDifference,
        ComponentEffect,
        DepthLimit,
    )

_SHOT: Final = "poisson"
_ROW: Final = 0.075
"""Height of a row of depths above the panel, as a share of it."""
_GREY: Final = 0.55
"""Shade of the noises that are not called."""
_NOT_TOLD: Final = "differences cannot be told from chance or reading error"


def answer_figure(found: Comparison) -> Figure:
    """Draw the noise that the answer rests on, the difference along depth, and the other noises.

    Usable depths are written above the panel, in a row for each protocol; the depths that were
    compared are shaded. Noises that are not called are small and grey.
    """
    leading = _leading(found)
    others = [c for c in noises(found.components) if c != leading.component]
    figure = page_wide(height_in=3.9)
    grid = figure.add_gridspec(6, 2 if others else 1, width_ratios=(2.6, 1) if others else None)
    banded = len(leading.band.depth_um) > 0
    top = figure.add_subplot(grid[: 4 if banded else 6, 0])
    _draw_leading(top, found, leading)
    if banded:
        below = figure.add_subplot(grid[4:, 0], sharex=top)
        _draw_difference(below, leading)
        top.tick_params(labelbottom=False)
        top.set_xlabel("")
    if others:
        _draw_others(figure, grid[:, 1].subgridspec(len(others), 1), found, others)
    _explain(figure, found)
    return figure


def _leading(found: Comparison) -> ComponentEffect:
    """Return the noise whose slopes differ most, else whose means do, of those called."""
    effects = [found.of(component) for component in noises(found.components)]
    called = [effect for effect in effects if effect.difference.called]
    if called:
        return max(called, key=lambda e: _excess(e.difference))
    apart = [effect for effect in effects if effect.difference.mean_called]
    if apart:
        return max(apart, key=lambda e: abs(e.difference.mean_difference))
    return next((e for e in effects if e.component == _SHOT), effects[0])


def _excess(found: ComponentDifference) -> float:
    """Return the ratio of a slope difference to its reading limit."""
    return abs(found.slope_difference_per_um) / max(found.reading_limit_per_um, 1e-12)


def _draw_leading(ax: Axes, found: Comparison, leading: ComponentEffect) -> None:
    low, high = found.window_um
    if np.isfinite([low, high]).all():
        ax.axvspan(low, high, color=shade(0.93), lw=0, zorder=0)
    for each, look in zip(found.analysed, LOOKS, strict=True):
        strengths = 100 * each.profile.of(leading.component)
        draw_curve(ax, each.profile.depth_um, strengths, look)
        if leading.component == _SHOT:
            draw_smoothed(ax, each.profile, look)
    ax.set_ylim(bottom=0)
    ax.margins(x=0.02)
    ax.set_ylabel("Strength (%)")
    ax.set_xlabel(DEPTH_LABEL)
    ax.spines[["top", "right"]].set_visible(False)
    title = _title(leading.component)
    ax.set_title(
        title if leading.difference.any_called else f"{title}: {_NOT_TOLD}", loc="left", pad=26
    )
    if leading.component == _SHOT:
        _draw_level(ax, found)


def _title(component: str) -> str:
    return "Shot noise" if component == _SHOT else f"{shown_name(label(component), most=24)} noise"


def _draw_level(ax: Axes, found: Comparison) -> None:
    """Draw the level, and how deep each protocol can be used, a row for each."""
    level = 100 * found.first.usable.at_strength
    ax.axhline(level, color=shade(0.45), lw=0.7, ls=(0, (4, 3)), zorder=1)
    for row, (each, look) in enumerate(zip(found.analysed, LOOKS, strict=True)):
        height = 1.02 + _ROW * (1 - row)
        for limit, mark in ((each.usable.level, "v"), (each.usable.signal, "s")):
            if np.isfinite(limit.depth_um):
                ax.plot(
                    limit.depth_um, height + 0.02, mark, color=look.colour, ms=3.5, clip_on=False,
                    transform=ax.get_xaxis_transform(),
                )  # fmt: skip
                ax.axvline(limit.depth_um, color=look.colour, lw=0.5, alpha=0.5, zorder=1)
                ax.annotate(
                    _depth(limit), (limit.depth_um, height), (5, 0), color=look.over(ax),
                    size="small", xycoords=ax.get_xaxis_transform(), textcoords="offset points",
                )  # fmt: skip


def _depth(limit: DepthLimit) -> str:
    return f"{limit.depth_um:.0f} µm"


def _draw_difference(ax: Axes, leading: ComponentEffect) -> None:
    band = leading.band
    ax.fill_between(band.depth_um, 100 * band.low, 100 * band.high, color=shade(0.75), lw=0)
    ax.plot(band.depth_um, 100 * band.value, color=shade(0.2), lw=1.0)
    ax.axhline(0, color=shade(0.45), lw=0.7)
    ax.set_ylabel("Difference (points)")
    ax.set_xlabel(DEPTH_LABEL)
    ax.spines[["top", "right"]].set_visible(False)
    ax.text(
        0.02, 0.95, _where(band), transform=ax.transAxes, va="top", size="small", color=shade(0.3)
    )


def _where(band: Band) -> str:
    """Return which of the compared depths have different curves."""
    if not np.isfinite(band.from_um):
        return "no depth at which they differ"
    if band.from_um <= min(band.depth_um):
        return "differ at all depths compared"
    return f"differ beyond {band.from_um:.0f} µm"


def _draw_others(
    figure: Figure, grid: GridSpecFromSubplotSpec, found: Comparison, others: list[str]
) -> None:
    """Draw the other noises in one column, on one scale, grey where they are not called."""
    highest = max(_highest(found, component) for component in others)
    first = None
    for i, component in enumerate(others):
        ax = first = figure.add_subplot(grid[i], sharex=first, sharey=first)
        for each, look in zip(found.analysed, LOOKS, strict=True):
            colour = look.colour if found.of(component).difference.any_called else shade(_GREY)
            strengths = 100 * each.profile.of(component)
            ax.plot(each.profile.depth_um, strengths, color=colour, lw=0.8, ls=look.dashes)
        ax.set_title(shown_name(label(component), most=24), size="small", loc="left")
        ax.set_ylim(0, 1.05 * highest or 1)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize="small", labelbottom=i == len(others) - 1)
    assert first is not None
    first.set_xlabel(DEPTH_LABEL)


def _highest(found: Comparison, component: str) -> float:
    """Return the largest mean of a component in %; 0 where no plane was read."""
    values = np.concatenate([100 * each.profile.of(component) for each in found.analysed])
    return float(np.nanmax(values, initial=0.0))


def _explain(figure: Figure, found: Comparison) -> None:
    """Explain curves and marks below the panels, in two rows."""
    silent = any(not found.of(c).difference.any_called for c in noises(found.components))
    usable = found.first.usable
    level = f"{100 * usable.at_strength:g} % ({usable.photons:.0f} photons)"
    handles: list[Artist | tuple[Artist, ...]] = [
        *(_curves(look, grey=silent) for look in LOOKS),
        *(_mark("v"), _mark("s"), Patch(color=shade(0.93), lw=0)),
    ]
    names = [
        *(shown_name(each.name) for each in found.analysed),
        *(f"broad, smoothed curve below {level}", "last plane with signal", "depths compared"),
    ]
    if silent:
        handles.append(Line2D([], [], color=shade(_GREY), lw=0.8))
        names.append("grey: cannot be told apart")
    legend = figure.legend(
        handles=handles,
        labels=[" "] * len(names),
        loc="outside lower center",
        ncols=3,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.4)},
        handlelength=3.2,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)  # labels with a leading underscore would be dropped


def _curves(look: Look, *, grey: bool) -> tuple[Artist, ...]:
    """Return the look of a protocol's curve: in the large panel, and grey in the small ones."""
    curve = Line2D([], [], color=look.colour)
    small = Line2D([], [], color=shade(_GREY), lw=0.8, ls=look.dashes)
    return (curve, small) if grey else (curve,)


def _mark(marker: str) -> Artist:
    return Line2D([], [], ls="", marker=marker, ms=3.5, color=shade(0.3))
