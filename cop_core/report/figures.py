"""Figures for print: the profile and the effects, 180 mm wide."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cop_core.report.columns import noises
from cop_core.report.effect_panels import draw_cohen_d, draw_r2, draw_slopes
from cop_core.report.kinds import kind_of
from cop_core.report.panels import draw_clean_and_power, draw_component
from cop_core.report.plot_style import LOOKS, VALUE_LABEL, shade, shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

    from cop_core.records import AnalysedProfile, Comparison

FORMATS: Final = ("svg", "pdf", "png")
"""Formats in which every figure is saved."""

_WIDTH_IN = 180 / 25.4
_LEGEND_CHARACTERS = 1.3  # for each em of the figure's width that fit into one row
_STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so figures look the same everywhere
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "cop",  # the same figure gives the same bytes
    "pdf.fonttype": 42,
}
_drawing: Final = RLock()
"""Held while matplotlib draws: its style and its reader of formulas are those of all threads."""
# its timer's messages cannot be formatted, which shows where other software logs at DEBUG
logging.getLogger("fontTools").setLevel(logging.WARNING)
_NO_DATE: Final = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


@contextmanager
def styled(style: dict[str, Any]) -> Iterator[None]:
    """Draw with values of ``matplotlib.rcParams``, one thread at a time.

    They are global to matplotlib: two figures drawn at once could come out in one's colours.
    """
    with _drawing, rc_context(style):
        yield


def profile_figure(shown: Sequence[AnalysedProfile], *, columns: int = 3) -> Figure:
    """Draw every noise component of one or two stacks against depth, then clean and power.

    There are `columns` panels in a row.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 4c-g.
    """
    names = noises(shown[0].profile.components)
    rows = -(-(len(names) + 1) // columns)
    figure = page_wide(height_in=1.85 * rows + 0.35)
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(len(names) + 1)]
    for i, (ax, component) in enumerate(zip(axes, names, strict=False)):
        draw_component(ax, shown, component)
        if i % columns == 0:
            ax.set_ylabel(VALUE_LABEL)
    draw_clean_and_power(axes[-1], shown)
    add_letters(axes)
    for ax in axes[:-columns]:
        ax.set_xlabel("")
    add_legend(figure, shown, profile=True)
    return figure


def effects_figure(result: Comparison) -> Figure:
    """Draw slopes, R2 and Cohen's d of the noise components, side by side.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 4h-j.
    """
    rows = len(noises(result.components))
    figure = page_wide(height_in=0.33 * rows + 1.1)
    add_letters(draw_effects(figure, result))
    return figure


def draw_effects(figure: Figure, result: Comparison, *, stacked: bool = False) -> list[Axes]:
    """Draw slopes, R2 and Cohen's d into an empty figure of constrained layout, with a legend.

    `stacked` panels lie below each other, not side by side.
    """
    if stacked:
        grid = figure.add_gridspec(3, 1)
    else:
        grid = figure.add_gridspec(1, 3, width_ratios=(1.25, 0.8, 1))
    axes = [figure.add_subplot(grid[i]) for i in range(3)]
    for ax, draw in zip(axes, (draw_slopes, draw_r2, draw_cohen_d), strict=True):
        draw(ax, result)
    for ax in () if stacked else axes[1:]:
        ax.set_yticklabels([])
    add_legend(figure, result.analysed, profile=False)
    return axes


def page_wide(*, height_in: float) -> Figure:
    """Return an empty figure, 180 mm wide."""
    figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def print_style() -> Iterator[None]:
    """Draw in the style for print, regardless of the current style."""
    with styled({}):
        rcdefaults()
        rcParams.update(_STYLE)
        yield


def save_figure(draw: Callable[[], Figure], stem: Path) -> None:
    """Draw a figure in the style for print and save it as SVG, PDF and PNG.

    `stem` is the path without its suffix.
    """
    with print_style():
        figure = draw()
        for suffix in FORMATS:
            figure.savefig(stem.with_suffix(f".{suffix}"), dpi=300, metadata=_NO_DATE[suffix])
            figure.set_layout_engine("none")  # solve once: as slow as drawing


def figures_of(record: Any) -> dict[str, Figure]:
    """Draw the figures of a report.

    Parameters
    ----------
    record : AnalysedProfile, Comparison, Recommendation, StudyRecord, PhotonTransfer, CohortRecord
        What was found; a `DepthProfile` is analysed first.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        By the names of their files in a report. They belong to no window; you can change and save
        them, in the style for print (`print_style`) or your own.
    """
    kind, record = kind_of(record)
    with print_style():
        return {name: draw() for name, draw in kind.figures(record).items()}


def add_letters(axes: Sequence[Axes]) -> None:
    """Name panels a, b, c ... at their top left."""
    for letter, ax in zip("abcdefghijklmnopqrstuvwxyz", axes, strict=False):
        ax.set_title(letter, loc="left", weight="bold")


def add_legend(
    figure: Figure,
    shown: Sequence[AnalysedProfile],
    *,
    profile: bool,
    more: Mapping[str, Artist] | None = None,
) -> Legend:
    """Explain the protocols, and what curve, band, line and hollow marks are, below all panels.

    It has one row if that fits the figure's width, else two columns.

    Parameters
    ----------
    profile : bool
        Whether the panels are those of `profile_figure`, not of `effects_figure`.
    more : mapping of str to Artist, optional
        Further artists, by their meaning.
    """
    handles: list[Artist] = [
        Line2D([], [], color=look.colour, marker="" if profile else look.marker, ms=4)
        for _, look in zip(shown, LOOKS, strict=False)
    ]
    names = [shown_name(p.name) for p in shown]
    if profile:
        explained = _profile_symbols(shown)
        handles += explained.values()
        names += explained
    if more:
        handles += more.values()
        names += more
    ems = 72 * figure.get_figwidth() / rcParams["font.size"]
    wide = sum(map(len, names)) > _LEGEND_CHARACTERS * ems
    legend = figure.legend(
        handles=handles,
        labels=[" "] * len(names),
        loc="outside lower center",
        ncols=2 if wide else len(names),
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)  # labels with a leading underscore would be dropped
    return legend


def _profile_symbols(shown: Sequence[AnalysedProfile]) -> dict[str, Artist]:
    """Return the meaning of the symbols that occur in a profile."""
    symbols: dict[str, Artist] = {}
    if any(p.profile.kept.any() for p in shown):
        symbols["SD over crops"] = Patch(color=shade(0.5), alpha=0.3, lw=0)
    if any(fit.defined for p in shown for fit in p.lines.values()):
        symbols["linear fit"] = Line2D([], [], color=shade(0.2), lw=1.4)
    if any(p.lines and np.isfinite(p.profile.uncertainty).any() for p in shown):
        symbols["90 % uncertainty, median"] = Line2D(
            [], [], ls="", marker="|", ms=8, mec=shade(0.2), mew=2.5
        )
    if not all(p.profile.kept.all() for p in shown):
        symbols["plane left out"] = Line2D(
            [], [], ls="", marker="o", ms=3, mfc="none", mec=shade(0.3), mew=0.8
        )
    return symbols
