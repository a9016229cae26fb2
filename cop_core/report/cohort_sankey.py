"""Ribbons from settings to noises, whose width is the share of each setting in each noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from cop_core.report.cohort_beeswarm import factor_colour
from cop_core.report.columns import label
from cop_core.report.plot_style import shade, shown_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from cop_core.records import CohortRecord

_BAR: Final = 0.025
_GAP: Final = 0.06  # of the height, between two bars


def draw_sankey(ax: Axes, record: CohortRecord) -> None:
    """Draw settings on the left, noises on the right, and ribbons of mean absolute SHAP values."""
    widths = {
        (share.factor, found.component): 100 * share.mean_abs_shap
        for found in record.attributions
        for share in found.shares
    }
    noises = [found.component for found in record.attributions if found.drawn]
    of_noise = {n: sum(w for (_, to), w in widths.items() if to == n) for n in noises}
    of_factor = {f: sum(w for (of, _), w in widths.items() if of == f) for f in record.factors}
    order = sorted(of_factor, key=lambda factor: -of_factor[factor])
    total = sum(of_noise.values())
    left = _bars(order, of_factor, total)
    right = _bars(sorted(noises, key=lambda noise: -of_noise[noise]), of_noise, total)
    starts, ends = dict(left), dict(right)
    for factor in order:
        for noise in right:
            width = widths[factor, noise] / total
            _ribbon(ax, starts[factor], ends[noise], width, factor_colour(record, factor))
            starts[factor] += width
            ends[noise] += width
    for factor, at in left.items():
        colour = factor_colour(record, factor)
        text = f"{shown_name(factor, most=26)}  {of_factor[factor]:.1f}"
        _bar(ax, -_BAR, at, of_factor[factor] / total, colour, text, left=True)
    for noise, at in right.items():
        text = f"{of_noise[noise]:.1f}  {label(noise)}"
        _bar(ax, 1, at, of_noise[noise] / total, shade(0.45), text, left=False)
    _tidy(ax, max(_height(order), _height(noises)))
    others = [label(found.component) for found in record.attributions if not found.drawn]
    said = "Width: mean |SHAP| in % of strength"
    said += f"; not attributed: {', '.join(others)}" if others else ""
    ax.set_title(said, size="small", color=shade(0.25))


def _bars(names: Sequence[str], sizes: Mapping[str, float], total: float) -> dict[str, float]:
    """Return where each bar begins, from 0 down; bars add up to 1, and gaps lie between them."""
    found, at = {}, 0.0
    for name in names:
        found[name] = at
        at += sizes[name] / total + _GAP
    return found


def _height(names: Sequence[str]) -> float:
    return 1 + _GAP * (len(names) - 1)


def _bar(ax: Axes, x: float, at: float, size: float, colour: str, text: str, *, left: bool) -> None:
    ax.add_patch(Rectangle((x, at), _BAR, size, color=colour, lw=0))
    beside = x - 0.012 if left else x + _BAR + 0.012
    ax.text(beside, at + size / 2, text, ha="right" if left else "left", va="center")


def _ribbon(ax: Axes, start: float, end: float, width: float, colour: str) -> None:
    """Draw a band from the left edge to the right one, level at both."""
    upper = [(0, start), (0.5, start), (0.5, end), (1, end)]
    lower = [(1, end + width), (0.5, end + width), (0.5, start + width), (0, start + width)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    path = Path(np.array([*upper, *lower, upper[0]]), codes)
    ax.add_patch(PathPatch(path, facecolor=colour, alpha=0.5, lw=0))


def _tidy(ax: Axes, height: float) -> None:
    ax.set_xlim(-0.35, 1.3)
    ax.set_ylim(height + 0.02, -0.02)
    ax.set_axis_off()
