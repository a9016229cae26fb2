"""Panels of one noise: shares, SHAP values of every row, and how they depend on a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

from cop_core.cohort.variables import TOGETHER_MARK, ranks_of
from cop_core.report.columns import label
from cop_core.report.plot_style import LOOKS, shade, shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.records import Attribution, CohortRecord, Share

MOST_FACTORS: Final = 4
"""Number of leading settings that a panel shows."""
_BINS: Final = 50
_SPREAD: Final = 0.38  # of a row's height, to either side
_NAME: Final = 22

_Floats = npt.NDArray[np.float64]


def draw_shares(ax: Axes, record: CohortRecord, found: Attribution) -> None:
    """Draw the leading shares of a noise as bars with intervals."""
    shown = found.shares[:MOST_FACTORS]
    values = np.array([100 * share.share for share in shown])
    ends = np.array([[100 * end for end in share.share_ci95] for share in shown])
    places = np.arange(len(shown))
    colours = [factor_colour(record, share.factor) for share in shown]
    ax.barh(places, values, color=colours, height=0.62)
    apart = np.abs(ends.T - values)  # a resample's share may lie to one side of the whole's
    ax.errorbar(
        values, places, xerr=apart, fmt="none", ecolor=shade(0.1), elinewidth=0.9, capsize=2
    )
    _name_rows(ax, shown)
    ax.set_xlim(0, 100)
    _title(ax, found)


def draw_beeswarm(ax: Axes, record: CohortRecord, found: Attribution) -> None:
    """Draw SHAP values of the leading settings; rows of one value side by side."""
    shown = found.shares[:MOST_FACTORS]
    widest = float(np.abs(100 * found.shap).max()) or 1.0
    for place, share in enumerate(shown):
        values = 100 * found.shap[:, record.factors.index(share.factor)]
        ranks = _ranks(record, share.factor)
        colours = value_colours()(ranks)
        ax.scatter(values, place + _aside(values, widest), s=5, c=colours, lw=0)
    ax.axvline(0, color=shade(0.5), lw=0.8, zorder=0)
    _name_rows(ax, shown)
    _title(ax, found)


def draw_dependence(ax: Axes, record: CohortRecord, found: Attribution, share: Share) -> None:
    """Draw SHAP values against a setting; of several changed together, against the first."""
    setting = share.factor.split(TOGETHER_MARK)[0]
    values, words = _numbers(record, setting)
    y = 100 * found.shap[:, record.factors.index(share.factor)]
    known = np.isfinite(values)
    x = values + (_aside(y, float(np.abs(y).max()) or 1.0) * 0.8 if words else 0)
    colour = factor_colour(record, share.factor)
    ax.scatter(x[known], y[known], s=8, color=colour, lw=0, alpha=0.75)
    ax.axhline(0, color=shade(0.5), lw=0.8, zorder=0)
    if words:
        ax.set_xticks(range(len(words)), [shown_name(word, most=14) for word in words])
    elif _is_crowded(values[known]):
        ax.set_xscale("log")
    ax.set_xlabel(shown_name(setting, most=30))
    _title(ax, found)


def factor_colour(record: CohortRecord, factor: str) -> str:
    """Return the colour of a factor, the same in every figure of a cohort."""
    return _PALETTE[record.factors.index(factor) % len(_PALETTE)]


_PALETTE: Final = (
    LOOKS[1].colour,
    LOOKS[0].colour,
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8A8A8A",
)
"""Of Okabe and Ito, without black and yellow, each invisible in one theme."""


def value_colours() -> LinearSegmentedColormap:
    """Return colours from low to high: blue, grey, vermilion, all visible on white and black."""
    return LinearSegmentedColormap.from_list("value", [LOOKS[1].colour, "#9a9a9a", LOOKS[0].colour])


def explain_values(figure: Figure) -> None:
    """Explain the colours of a setting's values above all panels, since the axis label is below."""
    colours = value_colours()
    handles = [Line2D([], [], ls="", marker="o", ms=4, color=colours(at)) for at in (0.0, 0.5, 1.0)]
    names = ["lowest value of the setting", "middle", "highest"]
    figure.legend(handles, names, loc="outside upper center", ncols=3)


def _is_crowded(values: _Floats) -> bool:
    """Whether half of the values lie in the lowest fifth of their range, so a logarithm helps."""
    if not len(values) or values.min() <= 0 or values.max() < 20 * values.min():
        return False
    return bool((np.median(values) - values.min()) < 0.2 * np.ptp(values))


def _name_rows(ax: Axes, shown: Any) -> None:
    ax.set_yticks(range(len(shown)), [_named(share.factor) for share in shown])
    ax.set_ylim(len(shown) - 0.45, -0.55)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _title(ax: Axes, found: Attribution) -> None:
    ax.set_title(f"{label(found.component)} (R² {found.r2:.2f})".replace("-", "−"), loc="left")
    ax.spines[["top", "right"]].set_visible(False)


def _aside(values: _Floats, widest: float) -> _Floats:
    """Return the offset of each value from the middle of its row, so that none hides another."""
    bins = np.floor(_BINS * (values / widest + 1) / 2).astype(int)
    place = np.zeros(len(values))
    for each in np.unique(bins):
        members = np.flatnonzero(bins == each)
        place[members] = [(-1) ** i * ((i + 1) // 2) for i in range(len(members))]
    largest = np.abs(place).max()
    return np.asarray(place * (min(0.06, _SPREAD / largest) if largest else 0))


def _numbers(record: CohortRecord, setting: str) -> tuple[_Floats, list[str]]:
    """Return a setting as numbers, and its words if it has any."""
    values = record.values(setting)
    words = sorted({value for value in values if isinstance(value, str)})
    if not words:
        return np.array([np.nan if v is None else float(v) for v in values]), []
    return np.array([np.nan if v is None else words.index(str(v)) for v in values], float), words


def _ranks(record: CohortRecord, factor: str) -> _Floats:
    """Return ranks of a factor's values, from 0 to 1; 0.5 where not known."""
    values, _ = _numbers(record, factor.split(" & ", maxsplit=1)[0])
    known = np.isfinite(values)
    ranks = np.full(len(values), 0.5)
    if known.any() and np.ptp(values[known]):
        found = ranks_of(values[known])
        ranks[known] = (found - found.min()) / np.ptp(found)
    return ranks


def _named(factor: str) -> str:
    """Return a factor as a label, with settings that were changed together on separate lines."""
    first, *rest = factor.split(TOGETHER_MARK)
    if len(rest) != 1:
        return shown_name(factor, most=_NAME)
    lines = shown_name(first, most=_NAME), shown_name(rest[0], most=_NAME)
    return f"{TOGETHER_MARK.rstrip()}\n".join(lines)
