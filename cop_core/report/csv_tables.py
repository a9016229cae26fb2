"""Comma-separated values, safe to open in a spreadsheet; one row for each plane and protocol."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cop_core.csv_table import safe_cell
from cop_core.records import plane_columns

if TYPE_CHECKING:
    from cop_core.records import AnalysedProfile


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV text: exact numbers, unknown ones empty, no formulas."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def planes_csv(shown: Sequence[AnalysedProfile]) -> str:
    """Return the planes of stacks with the same components as CSV text.

    Returns
    -------
    str
        The columns of `plane_columns`, including planes left out. Unknown numbers are empty.
    """
    header = [column.name for column in plane_columns(shown[0].profile.components)]
    return csv_text([header, *(row for each in shown for row in each.plane_rows())])


def dictionary_csv(columns: Iterable[tuple[str, str, str]]) -> str:
    """Return names, units and meanings of a table's columns as CSV text: its data dictionary."""
    return csv_text([("column", "unit", "meaning"), *columns])


def _cell(value: Any) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        return safe_cell(plain)
    if plain is None or (isinstance(plain, float) and not math.isfinite(plain)):
        return ""
    return str(plain).lower() if isinstance(plain, bool) else repr(plain)
