"""Figures of a cohort: what settings correlate with, and what they drive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.patches import Rectangle

from cop_core.cohort.correlation import QUALITIES
from cop_core.report.cohort_beeswarm import (
    draw_beeswarm,
    draw_dependence,
    draw_shares,
    explain_values,
)
from cop_core.report.cohort_sankey import draw_sankey
from cop_core.report.columns import label
from cop_core.report.figures import page_wide
from cop_core.report.plot_style import LOOKS, VALUE_LABEL, shade, shown_name
from cop_core.statistics.calls import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.records import Attribution, CohortRecord, Correlation

_DrawPanel: TypeAlias = "Callable[[Axes, CohortRecord, Attribution], None]"
_DAGGER: Final = "\u2020"


def correlations_figure(record: CohortRecord) -> Figure:
    """Draw rank and product-moment correlations of settings with strengths as heatmaps.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 3a.
    """
    figure = page_wide(height_in=0.9 + 0.26 * max(len(_settings(record)), 2))
    draw_correlations(figure, record)
    return figure


def quality_figure(record: CohortRecord) -> Figure:
    """Draw the clean strength against PSNR and SSIM.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 3b-e.
    """
    figure = page_wide(height_in=2.6)
    draw_quality(figure, record)
    return figure


def sankey_figure(record: CohortRecord) -> Figure:
    """Draw what settings drive as ribbons from settings to noises.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 3.
    """
    n = max(len(record.factors), len(drawn_in(record)))
    figure = page_wide(height_in=1.4 + 0.45 * n)
    draw_sankey(figure.add_subplot(), record)
    return figure


def shares_figure(record: CohortRecord) -> Figure:
    """Draw the shares of the four leading settings of each noise, with 95 % intervals."""
    figure = _panels(record, height_in=1.35, draw=draw_shares)
    figure.supxlabel("Share of what the settings explain (%), 95 % CI")
    return figure


def beeswarm_figure(record: CohortRecord) -> Figure:
    """Draw the SHAP values of every row for the leading settings of each noise."""
    figure = _panels(record, height_in=1.6, draw=draw_beeswarm)
    figure.supxlabel("SHAP value (% of strength)")
    explain_values(figure)
    return figure


def dependence_figure(record: CohortRecord) -> Figure:
    """Draw SHAP values against the two leading settings of each noise."""
    found = drawn_in(record)
    figure = page_wide(height_in=1.7 * len(found) + 0.2)
    for i, each in enumerate(found):
        for j, share in enumerate(each.shares[:2]):
            ax = figure.add_subplot(len(found), 2, 2 * i + j + 1)
            draw_dependence(ax, record, each, share)
            ax.set_ylabel("SHAP value (%)" if j == 0 else "")
    return figure


def drawn_in(record: CohortRecord) -> list[Attribution]:
    """Return the noises that are attributed."""
    return [each for each in record.attributions if each.drawn]


def _panels(record: CohortRecord, *, height_in: float, draw: _DrawPanel) -> Figure:
    found = drawn_in(record)
    columns = min(2, len(found))
    rows = -(-len(found) // columns)
    figure = page_wide(height_in=height_in * rows + 0.35)
    for i, each in enumerate(found):
        draw(figure.add_subplot(rows, columns, i + 1), record, each)
    return figure


# --- correlations --------------------------------------------------------------------------------


def draw_correlations(figure: Figure, record: CohortRecord) -> None:
    """Draw two heatmaps side by side into an empty figure of constrained layout."""
    settings = _settings(record)
    known = {(c.what, c.component): c for c in record.correlations}
    axes = [figure.add_subplot(1, 2, i + 1) for i in range(2)]
    for ax, kind in zip(axes, ("spearman", "pearson"), strict=True):
        found = [[known[of, component] for component in record.components] for of in settings]
        _heatmap(ax, found, kind)
        names = [label(c) + _DAGGER * (c in record.uncertain) for c in record.components]
        ax.set_xticks(range(len(names)), names, rotation=35)
        for tick in ax.get_xticklabels():
            tick.set_horizontalalignment("right")
            tick.set_rotation_mode("anchor")
        ax.set_yticks(range(len(settings)), [shown_name(of, most=24) for of in settings])
    axes[1].set_yticklabels([])
    axes[0].set_title("Rank correlation (Spearman)", loc="left")
    axes[1].set_title("Correlation (Pearson)", loc="left")
    said = "Framed: p < 0.05, after Holm correction"
    if record.uncertain:
        said += f";  {_DAGGER} varies by less than the uncertainty of its readings"
    figure.supxlabel(said, size="small", color=shade(0.25))


def _settings(record: CohortRecord) -> list[str]:
    return [*dict.fromkeys(c.what for c in record.correlations if c.what not in QUALITIES)]


def _heatmap(ax: Axes, found: Sequence[Sequence[Correlation]], kind: str) -> None:
    colours = diverging()
    values = np.array([[getattr(c, kind).value for c in row] for row in found])
    if not len(values):
        ax.text(0.5, 0.5, "no setting varies", ha="center", va="center", transform=ax.transAxes)
        return
    ax.pcolormesh(
        np.arange(values.shape[1] + 1) - 0.5,
        np.arange(values.shape[0] + 1) - 0.5,
        np.ma.masked_invalid(values), cmap=colours, vmin=-1, vmax=1,
        edgecolors=shade(1.0), linewidth=1.2,
    )  # fmt: skip
    ax.invert_yaxis()
    for (i, j), value in np.ndenumerate(values):
        if not np.isfinite(value):
            ax.text(j, i, "–", ha="center", va="center", color=shade(0.4))
            continue
        called = getattr(found[i][j], kind).p_holm < LEVEL
        ax.text(
            j, i, f"{value:+.2f}".replace("-", "−"), ha="center", va="center", size="small",
            color=_readable(colours(Normalize(-1, 1)(value))),
            weight="bold" if called else "normal",
        )  # fmt: skip
        if called:
            ax.add_patch(_frame(j, i))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _frame(x: float, y: float) -> Rectangle:
    return Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, fill=False, ec=shade(0.0), lw=1.0)


def diverging() -> LinearSegmentedColormap:
    """Return blue, the background, vermilion: told apart with any colour vision, in any theme."""
    low, high = LOOKS[1].colour, LOOKS[0].colour
    return LinearSegmentedColormap.from_list("correlation", [low, shade(0.97), high])


def _readable(colour: tuple[float, ...]) -> str:
    bright = float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))
    return "#000000" if bright > 0.4 else "#ffffff"


# --- quality -------------------------------------------------------------------------------------


def draw_quality(figure: Figure, record: CohortRecord) -> None:
    """Draw clean against each quality into an empty figure of constrained layout."""
    known = {c.what: c for c in record.correlations}
    clean = np.array([100 * row.strengths[-1] for row in record.rows])
    for i, (name, title) in enumerate(QUALITIES.items()):
        ax = figure.add_subplot(1, len(QUALITIES), i + 1)
        values = np.array([getattr(row, name) for row in record.rows])
        ax.scatter(values, clean, s=12, color=LOOKS[1].colour, alpha=0.8, lw=0)
        ax.set_xlabel(title)
        ax.set_ylabel(VALUE_LABEL if i == 0 else "")
        ax.spines[["top", "right"]].set_visible(False)
        if found := known.get(name):
            said = ", ".join(
                f"{mark} {value:+.2f}".replace("-", "−")
                for mark, value in (("ρ", found.spearman.value), ("r", found.pearson.value))
            )
            ax.set_title(f"Clean: {said}", loc="left")
