"""Usable depths, marked over the curves of the noise that limits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.records import Comparison
from cop_core.report.panels import draw_smoothed, set_height, smoothed_symbol
from cop_core.report.plot_style import LOOKS, shade
from napari_cop.words import leading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from cop_core.records import Result, UsableDepth
    from napari_cop.plots.planes import Points

LEVEL_MARK: Final = ("v", "▼")
SIGNAL_MARK: Final = ("s", "■")
"""Marks of level depth and signal depth: as plotted, as written."""


def usable_of(result: Result) -> tuple[UsableDepth, ...]:
    """Return the usable depth of each stack of a result."""
    return result.usable if isinstance(result, Comparison) else (result.usable,)


def mark_usable(ax: Axes, result: Result, points: Sequence[Points]) -> dict[str, Artist]:
    """Draw the level of shot noise, and the level depth and signal depth of each stack.

    The marks are in space added above the curves.

    Returns
    -------
    dict of str to Artist
        Artists for the legend: the smoothed curve, if there is one.
    """
    usable = usable_of(result)
    level = 100 * usable[0].at_strength
    index = points[0].profile.components.index(leading(points[0].profile.components))
    edges = [(some.mean + some.sd)[some.kept, index] for some in points]
    high = float(np.nanmax(np.concatenate(edges), initial=1.2 * level))
    set_height(ax, high, lines=len(usable), foot=not all(some.kept.all() for some in points))
    ax.axhline(level, color=shade(0.45), lw=0.8, ls=(0, (4, 3)), zorder=1)
    for row, (each, look) in enumerate(zip(usable, LOOKS, strict=False)):
        height = 0.95 - 0.08 * row
        for limit, (mark, _) in ((each.level, LEVEL_MARK), (each.signal, SIGNAL_MARK)):
            if np.isfinite(limit.depth_um):
                ax.axvline(limit.depth_um, color=look.over(ax), lw=0.8, alpha=0.7, zorder=1)
                ax.plot(
                    limit.depth_um, height, mark, color=look.over(ax), ms=6, clip_on=False,
                    transform=ax.get_xaxis_transform(),
                )  # fmt: skip
    smooth = [
        draw_smoothed(ax, each.profile, look)
        for each, look in zip(result.analysed, LOOKS, strict=False)
    ]
    return {"smoothed": smoothed_symbol()} if any(smooth) else {}
