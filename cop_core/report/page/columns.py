"""Columns of the tables of slopes, breaks and effects, each with the key that its cells show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cop_core.report.page.cells import Cells, Path

PER_CENT: Final = 100.0
PER_CENT_PER_100_UM: Final = 1e4

Give = Callable[[Cells, Path], str]
"""Gives a cell from the document and the place of a component in it."""
Column = tuple[str, Give]
"""The head of a column and what gives its cells."""


def _number(key: str, form: str, scale: float = 1.0) -> Give:
    return lambda cells, at: cells.number(*at, *key.split("."), scale=scale, form=form)


def _slope(key: str) -> Give:
    return _number(key, "+z.2f", PER_CENT_PER_100_UM)


def _interval(key: str, form: str = "+z.2f", scale: float = 1.0) -> Give:
    return lambda cells, at: cells.interval(*at, *key.split("."), scale=scale, form=form)


def _slopes(key: str) -> Give:
    return _interval(key, scale=PER_CENT_PER_100_UM)


def _p(key: str) -> Give:
    return lambda cells, at: cells.p_value(*at, *key.split("."))


def _classed(key: str, form: str) -> Give:
    """Give an effect size with its class."""
    return lambda cells, at: (
        f"{cells.number(*at, key, form=form)} {cells.text(*at, f'{key}_class')}"
    )


LINE: Final[tuple[Column, ...]] = (
    ("Mean,<br>%", _number("mean", ".1f", PER_CENT)),
    ("Uncertainty,<br>%", _number("uncertainty", ".1f", PER_CENT)),
    ("Slope,<br>% per 100 µm", _slope("slope_per_um")),
    ("95 % CI", _slopes("slope_ci95")),
    ("p", _p("p_value")),
    ("R²", _number("r2", ".2f")),
    ("Planes", _number("n_planes", "d")),
    ("Effective<br>planes", _number("n_effective", ".1f")),
)
BREAK: Final[tuple[Column, ...]] = (
    ("Break,<br>µm", _number("break.depth_um", ".0f")),
    ("95 % CI", _interval("break.ci95_um", ".0f")),
    ("p of<br>no break", _p("break.p_value")),
    ("Slope above,<br>% per 100 µm", _slope("break.shallow_slope_per_um")),
    ("95 % CI", _slopes("break.shallow_ci95")),
    ("Slope below,<br>% per 100 µm", _slope("break.deep_slope_per_um")),
    ("95 % CI", _slopes("break.deep_ci95")),
)
EFFECT: Final[tuple[Column, ...]] = (
    ("Slope difference,<br>% per 100 µm", _slope("slope_difference_per_um")),
    ("95 % CI", _slopes("ci95")),
    ("p", _p("p_value")),
    ("p<br>(Holm)", _p("p_holm")),
    ("Cohen's d", _classed("cohen_d", "+z.2f")),
    ("95 % CI", _interval("cohen_d_ci95")),
    ("Hedges' g", _number("hedges_g", "+z.2f")),
    ("Cohen's f²", _classed("f2", ".2f")),
)
EQUIVALENCE: Final[tuple[Column, ...]] = (
    ("p of more than<br>the margin", _p("equivalence_p_difference")),
)
