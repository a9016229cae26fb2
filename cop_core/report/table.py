"""The summary that a terminal shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from cop_core.report.protocols import Protocol, Result, label, protocols, warnings_of
from cop_core.statistics.breaks import break_fits
from cop_core.statistics.compare import Comparison
from cop_core.statistics.effect_size import F2_SUFFIX

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cop_core.statistics.component_effect import ComponentEffect

_UNDEFINED = "–"
_EQUIVALENCE = "p (margin)"
_LEVEL = 0.05


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


def plain(value: float, digits: int) -> str:
    """Return a number with that many digits after the point, or a dash for NaN."""
    return _UNDEFINED if math.isnan(value) else f"{value:.{digits}f}"


def slope_with_interval(slope_per_um: float, interval: tuple[float, float]) -> str:
    """Return a slope and its interval, both per um, as `value_with_interval` per 100 um."""
    return value_with_interval(slope_per_um * 1e4, (interval[0] * 1e4, interval[1] * 1e4))


def value_with_interval(value: float, interval: tuple[float, float]) -> str:
    """Return a value and its interval as one cell, ``+1.14 [-0.92, +3.20]``."""
    if any(math.isnan(x) for x in interval):
        return _signed(value)
    low, high = (_signed(x) for x in interval)
    return f"{_signed(value)} [{low}, {high}]"


def _protocol_table(protocol: Protocol) -> Table:
    profile = protocol.profile
    kept = profile.kept
    title = f"{protocol.name} ({int(kept.sum())} of {len(profile)} planes)"
    table = _table(title, "mean %", "slope [95 % CI], % per 100 µm", "R²")
    for component, fit in protocol.fits.items():
        mean = profile.of(component)[kept].mean() * 100 if kept.any() else math.nan
        slope = slope_with_interval(fit.slope_per_um, fit.slope_ci95) if fit.defined else fit.note
        table.add_row(label(component), plain(mean, 1), slope, plain(fit.r2, 2))
    found = [
        f"{label(c)} at {b.depth_um:.0f} [{b.ci95_um[0]:.0f}, {b.ci95_um[1]:.0f}]"
        for c, b in break_fits(profile).items()
        if b.p_value < _LEVEL
    ]
    if found:
        table.caption = Text(f"slope changes, depth in µm: {', '.join(found)}")
    return table


def _comparison_table(result: Comparison) -> Table:
    names = [p.name for p in protocols(result)]
    table = _table(
        f"{names[0]} minus {names[1]}: slope in % per 100 µm, Cohen's d, 95 % CI",
        "slope",
        "p (Holm)",
        "d",
        *([_EQUIVALENCE] if result.margin_per_100_um is not None else []),
    )
    for effect in result.effects:
        d = value_with_interval(effect.cohen_d, effect.cohen_d_ci95)
        if not math.isnan(effect.cohen_d):
            d = f"{d} {effect.cohen_d_class.removesuffix(F2_SUFFIX)}"
        table.add_row(
            label(effect.component),
            slope_with_interval(effect.slope_difference_per_um, effect.ci95),
            p_text(effect.p_holm),
            d,
            *([_equivalence(effect)] if result.margin_per_100_um is not None else []),
        )
    if chosen := _how(result):
        table.caption = Text("; ".join(chosen))
    return table


def _how(result: Comparison) -> list[str]:
    """Return what was chosen beside the defaults, in words."""
    found = []
    if result.rule == "paper":
        found.append("sizes of d by the f2 convention, naive p")
    if result.errors != "ar1":
        found.append(f"errors of the slope difference: {result.errors}")
    if result.margin_per_100_um is not None:
        margin = f"{100 * result.margin_per_100_um:g} % per 100 µm"
        found.append(f"p (margin): slope no smaller than {margin}, of each protocol")
    return found


def _equivalence(effect: ComponentEffect) -> str:
    return f"{p_text(effect.equivalence_p_fixed)}, {p_text(effect.equivalence_p_gained)}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title), title_justify="left")
    table.add_column("component", no_wrap=True)  # other columns wrap before a name is cut
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table


def _signed(value: float) -> str:
    return _UNDEFINED if math.isnan(value) else f"{value:+.2f}"
