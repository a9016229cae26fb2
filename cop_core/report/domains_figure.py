"""Figures of accuracy: domain by domain beside the paper's, and strengths read against true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.report.columns import label
from cop_core.report.figures import add_letters, page_wide
from cop_core.report.plot_style import Look, shade, shown_name
from cop_core.training.evaluation import PAPER_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.training.evaluation import DomainReading

_COLUMNS: Final = 3
_DOMAIN: Final = Look("#0072B2", "-", "o")
_MEAN: Final = Look("#000000", "-", "D")
_PAPER: Final = Look("#D55E00", "-", "s")
_ABSENT: Final[dict[str, Any]] = {"ha": "center", "va": "center", "size": "small", "color": "0.5"}
_LONGEST: Final = 26
"""Characters of a domain's name."""
_DARK: Final = 0.5
"""R2 below which the background colour needs white text."""


@dataclass(frozen=True)
class _Row:
    """A row of all three panels; without numbers if the domain is missing."""

    name: str
    numbers: Mapping[str, Any] | None
    look: Look
    error: str = "se"


def domains_figure(found: Mapping[str, Any], components: Sequence[str]) -> Figure:
    """Draw RMSE, R2 and R2 by component of every domain, their means and the paper's.

    Each of the paper's twelve domains has a row, also where it is missing. The baseline always
    reads the mean strengths.

    Parameters
    ----------
    found : mapping
        As `Evaluation.to_dict` states it.
    components : sequence of str

    References
    ----------
    .. [1] arXiv:2601.17047, which has the means of the paper.
    """
    domains, means = _domains(found), _means(found)
    rows = [*domains, *means]
    figure = page_wide(height_in=0.19 * len(rows) + 0.9)
    grid = figure.add_gridspec(1, 3, width_ratios=(1, 1, 1.6))
    axes = [figure.add_subplot(grid[i]) for i in range(3)]
    for ax, name, title in zip(axes, ("rmse", "r2"), ("RMSE", "$R^2$"), strict=False):
        _draw_scores(ax, rows, name)
        ax.set_xlabel(title)
    baseline = found["baseline"]["rmse"]
    axes[0].axvline(baseline, color=shade(0.5), lw=0.8, ls=":")
    axes[0].set_xlim(left=0)
    axes[0].set_title(f"dotted: baseline {baseline:.3f}", loc="right", size="small")
    axes[1].axvline(1, color=shade(0.5), lw=0.8, ls=":")
    axes[1].set_title("domains ± SE, means ± SD", loc="right", size="small")
    _draw_components(axes[2], rows, components)
    for ax in axes:
        ax.set_yticks(range(len(rows)), [])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.axhline(len(domains) - 0.5, color=shade(0.3), lw=0.7)
    axes[0].set_yticklabels([row.name for row in rows])
    add_letters(axes)
    return figure


def _domains(found: Mapping[str, Any]) -> list[_Row]:
    """Return one row per folder, in the paper's order if any is one of the paper's domains."""
    of_paper = found["paper_domains"]
    if not of_paper["overall"]:
        return [_row(folder, numbers) for folder, numbers in found["domains"].items()]
    rows = []
    for domain, folders in of_paper["folders"].items():
        rows += [_row(folder, found["domains"][folder]) for folder in folders]
        if not folders:
            rows.append(_row(domain, None))
    extra = [_row(folder, found["domains"][folder], " (extra)") for folder in of_paper["extra"]]
    return rows + extra


def _row(name: str, numbers: Mapping[str, Any] | None, remark: str = "") -> _Row:
    return _Row(shown_name(name, most=_LONGEST) + remark, numbers, _DOMAIN)


def _means(found: Mapping[str, Any]) -> list[_Row]:
    of_paper = found["paper_domains"]
    ours = of_paper["overall"] or found["overall"]
    return [
        _Row(f"mean of {ours['domains']} here", ours, _MEAN, "sd"),
        _Row("paper, CoP", PAPER_NUMBERS["cop"], _PAPER, "sd"),
        _Row("paper, scratch", PAPER_NUMBERS["scratch"], _PAPER, "sd"),
    ]


def _draw_scores(ax: Axes, rows: Sequence[_Row], name: str) -> None:
    for y, row in enumerate(rows):
        if row.numbers is None:
            ax.text(0.5, y, "missing", transform=ax.get_yaxis_transform(), **_ABSENT)
        elif row.numbers[name] is not None:
            error = row.numbers[f"{name}_{row.error}"]
            ax.errorbar(
                row.numbers[name], y, xerr=error, fmt=row.look.marker, ms=4, color=row.look.colour,
                lw=1, capsize=2,
            )  # fmt: skip
    ax.spines[["top", "right", "left"]].set_visible(False)


def _draw_components(ax: Axes, rows: Sequence[_Row], components: Sequence[str]) -> None:
    """Draw R2 as colours from 0 to 1, with the numbers, which may lie outside."""
    values = np.full((len(rows), len(components)), np.nan)
    for y, row in enumerate(rows):
        known = row.numbers["r2_by_component"] if row.numbers else {}
        for x, component in enumerate(components):
            value = known.get(component)
            if value is None:
                ax.text(x, y, "–" if row.numbers else "", **_ABSENT)
                continue
            values[y, x] = value
            colour = "white" if value < _DARK else "black"
            said = f"{value:.2f}".replace("-", "−")
            ax.text(x, y, said, ha="center", va="center", size="small", color=colour)
    ax.imshow(values, cmap="Blues_r", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(components)), [label(c) for c in components], rotation=30, ha="right")
    ax.tick_params(axis="x", length=0)
    ax.set_title("$R^2$ by component (–: not given)", loc="right", size="small")
    ax.spines[:].set_visible(False)


def strengths_figure(readings: Sequence[DomainReading], components: Sequence[str]) -> Figure:
    """Draw readings against true strengths, one panel per component."""
    truth = np.concatenate([r.truth for r in readings])
    read = np.concatenate([r.predicted for r in readings])
    most = float(max(truth.max(), read.max()))
    rows = -(-len(components) // _COLUMNS)
    figure = page_wide(height_in=2.4 * rows)
    for i, component in enumerate(components):
        ax = figure.add_subplot(rows, _COLUMNS, i + 1)
        ax.scatter(
            truth[:, i], read[:, i], s=4, color=_DOMAIN.colour, alpha=0.3, linewidths=0,
            rasterized=True,
        )  # fmt: skip
        ax.plot([0, most], [0, most], "k--", lw=0.8)
        ax.set_aspect("equal")
        ax.set_title(label(component))
        ax.set_ylabel("strength read" if i % _COLUMNS == 0 else "")
        ax.set_xlabel("true strength" if i + _COLUMNS >= len(components) else "")
        ax.spines[["top", "right"]].set_visible(False)
    return figure
