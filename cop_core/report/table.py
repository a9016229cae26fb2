"""The summary that a terminal shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cop_core.depth.compare import Comparison
from cop_core.report.protocols import Protocol, Result, label, protocols, warnings_of

if TYPE_CHECKING:
    from rich.console import RenderableType

_UNDEFINED = "–"


def summary_table(result: Result) -> Group:
    """Return tables for the terminal: each protocol, the comparison, then the warnings.

    Parameters
    ----------
    result : DepthProfile or Comparison
        What to show. Strengths are in %, slopes in percentage points per 100 um.

    Returns
    -------
    rich.console.Group
        For ``Console.print``.
    """
    parts: list[RenderableType] = [_protocol_table(p) for p in protocols(result)]
    if isinstance(result, Comparison):
        parts.append(_comparison_table(result))
    parts += [Text(f"! {warning}", style="yellow") for warning in warnings_of(result)]
    return Group(*parts)


def percent_per_100_um(slope_per_um: float) -> str:
    """Return a slope in percentage points per 100 um as signed text, or a dash."""
    return _signed(slope_per_um * 1e4)


def p_text(p: float) -> str:
    """Return a p value as text, ``"<0.001"`` where smaller, or a dash."""
    if math.isnan(p):
        return _UNDEFINED
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _protocol_table(protocol: Protocol) -> Table:
    profile = protocol.profile
    kept = profile.kept
    title = f"{protocol.name} ({int(kept.sum())} of {len(profile)} planes)"
    table = _table(title, "mean %", "slope, % per 100 µm", "95 % CI", "R²")
    for component, fit in protocol.fits.items():
        mean = profile.of(component)[kept].mean() * 100 if kept.any() else math.nan
        slope = percent_per_100_um(fit.slope_per_um) if fit.defined else fit.note
        interval = _interval(*(1e4 * x for x in fit.slope_ci95))
        table.add_row(label(component), _plain(mean, 1), slope, interval, _plain(fit.r2, 2))
    return table


def _comparison_table(result: Comparison) -> Table:
    names = [p.name for p in protocols(result)]
    table = _table(
        f"{names[0]} minus {names[1]}",
        "slope difference, % per 100 µm",
        "95 % CI",
        "p (Holm)",
        "Cohen's d",
        "95 % CI",
        "size of d",
    )
    for effect in result.effects:
        table.add_row(
            label(effect.component),
            percent_per_100_um(effect.slope_difference_per_um),
            _interval(*(1e4 * x for x in effect.ci95)),
            p_text(effect.p_holm),
            _signed(effect.cohen_d),
            _interval(*effect.cohen_d_ci95),
            effect.cohen_d_class,
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title), title_justify="left")
    table.add_column("component")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _plain(value: float, digits: int) -> str:
    return _UNDEFINED if math.isnan(value) else f"{value:.{digits}f}"


def _signed(value: float) -> str:
    return _UNDEFINED if math.isnan(value) else f"{value:+.2f}"


def _interval(low: float, high: float) -> str:
    return _UNDEFINED if math.isnan(low) else f"{low:+.2f} to {high:+.2f}"
