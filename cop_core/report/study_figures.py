"""Figures of a study: every stack's curve, every stack's slope, arm beside arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from cop_core.records import ArmsComparison
from cop_core.report.columns import label, noises
from cop_core.report.figures import page_wide
from cop_core.report.plot_style import DEPTH_LABEL, VALUE_LABEL, looks_of, shade, shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.records import AnalysedProfile, ChannelComparison
    from cop_core.records.arrays import Interval
    from cop_core.report.plot_style import Look

_COLUMNS = 3
_SPREAD = 0.75  # of a row, over its arms


def curves_figure(each: ChannelComparison) -> Figure:
    """Draw every component of every stack against depth, coloured by arm."""
    components = _components(each)
    rows = -(-len(components) // _COLUMNS)
    figure = page_wide(height_in=1.75 * rows + 0.35)
    for i, component in enumerate(components):
        ax = figure.add_subplot(rows, _COLUMNS, i + 1)
        for _, stacks, look in _arms(each):
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
    """Draw the slope of every stack and, where there is one, that of each arm with 95 % CI.

    Slopes of stacks in arms are over the depths common to all, as those of the arms are.
    """
    names, shown = noises(_components(each)), [*_arms(each)]
    figure = page_wide(height_in=(0.15 + 0.19 * len(shown)) * len(names) + 0.9)
    ax = figure.add_subplot()
    apart = _SPREAD / len(shown)
    shifts = apart * (np.arange(len(shown)) - (len(shown) - 1) / 2)
    for row, component in enumerate(names):
        arms = _slopes_of_arms(each, component)
        for (name, stacks, look), shift in zip(shown, shifts, strict=True):
            slopes: Sequence[float] = [s.lines[component].slope_per_um for s in stacks]
            if name in arms:
                slopes, mean, interval = arms[name]
                _draw_arm(ax, row + shift + apart / 3, mean, interval, look)
            ax.plot(
                1e4 * np.array(slopes), np.full(len(slopes), row + shift), ls="",
                marker=look.marker, ms=3.5, mfc="none", mec=look.colour, mew=0.8,
            )  # fmt: skip
    ax.axvline(0, color=shade(0.6), lw=0.8, zorder=0)
    ax.set_yticks(range(len(names)), [label(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    depths = "the depths of all stacks, and arms with 95 % CI" if arms else "its own depths"
    if 0 < len(arms) < len(shown):
        depths += ";\nof arms not compared, over its own depths"
    ax.set_xlabel(f"Slope of each stack over {depths} (% per 100 µm)")
    ax.spines[["top", "right"]].set_visible(False)
    _add_legend(figure, each)
    return figure


def _arms(each: ChannelComparison) -> Iterator[tuple[str, list[AnalysedProfile], Look]]:
    """Yield name, stacks and look of each arm."""
    for arm, look in zip(each.arms, looks_of(len(each.arms)), strict=True):
        yield arm.name, [stack.analysed for stack in arm.stacks if stack.analysed], look


def _components(each: ChannelComparison) -> tuple[str, ...]:
    return next(stacks[0].profile.components for _, stacks, _ in _arms(each) if stacks)


def _slopes_of_arms(
    each: ChannelComparison, component: str
) -> dict[str, tuple[Sequence[float], float, Interval]]:
    """Return, for each compared arm, the slopes of its stacks, their mean and its interval."""
    found: dict[str, tuple[Sequence[float], float, Interval]] = {}
    for result in (pair.result for pair in each.pairs):
        if isinstance(result, ArmsComparison):
            effect = result.of(component)
            first, second = result.names
            found[first] = effect.first_stacks, effect.first_slope_per_um, effect.first_ci95
            found[second] = effect.second_stacks, effect.second_slope_per_um, effect.second_ci95
    return found


def _draw_arm(ax: Axes, y: float, slope: float, interval: Interval, look: Look) -> None:
    ax.plot(1e4 * np.array(interval), [y, y], color=look.colour, lw=1.2)
    ax.plot([1e4 * slope], [y], color=look.colour, marker="|", ms=7, mew=1.6)


def _add_legend(figure: Figure, each: ChannelComparison) -> None:
    handles = {
        f"{shown_name(name, most=24)} ({len(stacks)})": Line2D(
            [], [], color=look.colour, marker=look.marker, ms=4
        )
        for name, stacks, look in _arms(each)
    }
    legend = figure.legend(
        handles=[*handles.values()],
        labels=[" "] * len(handles),
        loc="outside lower center",
        ncols=min(len(handles), 4),
    )
    for text, name in zip(legend.get_texts(), handles, strict=True):
        text.set_text(name)  # labels with a leading underscore would be dropped
