"""Figures of a study: every stack's curve, every stack's slope, arm beside arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from cop_core.recipes import ARMS
from cop_core.records import ArmsComparison
from cop_core.report.columns import label, noises
from cop_core.report.figures import page_wide
from cop_core.report.plot_style import DEPTH_LABEL, LOOKS, VALUE_LABEL, shade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.records import AnalysedProfile, ArmsEffect, ChannelComparison
    from cop_core.report.plot_style import Look

_COLUMNS = 3
_SHIFTS = (-0.17, 0.17)


def curves_figure(each: ChannelComparison) -> Figure:
    """Draw every component of every stack against depth, coloured by arm."""
    components = _components(each)
    rows = -(-len(components) // _COLUMNS)
    figure = page_wide(height_in=1.75 * rows + 0.35)
    for i, component in enumerate(components):
        ax = figure.add_subplot(rows, _COLUMNS, i + 1)
        for stacks, look in _arms(each):
            for profile in (analysed.profile for analysed in stacks):
                x, y = profile.depth_um[profile.kept], 100 * profile.of(component)[profile.kept]
                ax.plot(x, y, color=look.colour, lw=0.7, alpha=0.8)
        ax.set_title(label(component))
        ax.set_ylim(bottom=0)
        ax.set_ylabel(VALUE_LABEL if i % _COLUMNS == 0 else "")
        ax.set_xlabel(DEPTH_LABEL if i + _COLUMNS >= len(components) else "")
        ax.spines[["top", "right"]].set_visible(False)
    _add_legend(figure, each)
    return figure


def slopes_figure(each: ChannelComparison) -> Figure:
    """Draw the slope of every stack and, where there is one, that of each arm with 95 % CI."""
    names = noises(_components(each))
    figure = page_wide(height_in=0.42 * len(names) + 0.9)
    ax = figure.add_subplot()
    for row, component in enumerate(names):
        for (stacks, look), shift in zip(_arms(each), _SHIFTS, strict=True):
            slopes = [1e4 * analysed.lines[component].slope_per_um for analysed in stacks]
            ax.plot(
                slopes, np.full(len(slopes), row + shift), ls="", marker=look.marker, ms=3.5,
                mfc="none", mec=look.colour, mew=0.8,
            )  # fmt: skip
        if isinstance(each.result, ArmsComparison):
            _draw_arms(ax, row, each.result.of(component))
    ax.axvline(0, color=shade(0.6), lw=0.8, zorder=0)
    ax.set_yticks(range(len(names)), [label(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel("Slope (% per 100 µm): stacks, and arms with 95 % CI")
    ax.spines[["top", "right"]].set_visible(False)
    _add_legend(figure, each)
    return figure


def _arms(each: ChannelComparison) -> Iterator[tuple[list[AnalysedProfile], Look]]:
    """Yield the stacks of each arm that entered, and how they are drawn."""
    for stacks, look in zip((each.fixed, each.gained), LOOKS, strict=True):
        yield [stack.analysed for stack in stacks if stack.analysed], look


def _components(each: ChannelComparison) -> tuple[str, ...]:
    return next(stacks[0].profile.components for stacks, _ in _arms(each) if stacks)


def _draw_arms(ax: Axes, row: int, effect: ArmsEffect) -> None:
    slopes = effect.fixed_slope_per_um, effect.gained_slope_per_um
    for slope, interval, look, shift in zip(
        slopes, (effect.fixed_ci95, effect.gained_ci95), LOOKS, _SHIFTS, strict=True
    ):
        y = row + 1.8 * shift
        ax.plot(1e4 * np.array(interval), [y, y], color=look.colour, lw=1.2)
        ax.plot([1e4 * slope], [y], color=look.colour, marker="|", ms=7, mew=1.6)


def _add_legend(figure: Figure, each: ChannelComparison) -> None:
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, ms=4, label=f"{arm} ({len(stacks)})")
        for arm, (stacks, look) in zip(ARMS, _arms(each), strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
