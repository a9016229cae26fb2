"""Repeated measurements of a detector, and whether it has drifted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from scipy.special import chdtrc

from cop_core.components import SDS_OF_95
from cop_core.csv_table import number_in, plain_cell, read_csv_table
from cop_core.errors import InputError
from cop_core.records import Estimate, MeasuredDetector

DRIFT_P: Final = 0.01
"""p below which measurements differ by more than their intervals allow."""
_ENDS: Final = ("", "_low", "_high")
QUANTITIES: Final = {
    "counts_per_photon": "counts per photon",
    "zero_counts": "the zero level",
    "amplifier_counts": "amplifier noise",
}
"""Quantities that are followed, with their names."""
COLUMNS: Final = (
    "taken",
    "movie",
    *(f"{name}{end}" for name in QUANTITIES for end in _ENDS),
    "zero_from",
)


@dataclass(frozen=True)
class Measurement:
    """One row of a history.

    Attributes
    ----------
    taken : datetime
        When the movie was taken, with its time zone.
    movie : str
        Name of its file.
    values : dict of str to Estimate
        By the names of `QUANTITIES`; what was not measured is absent.
    zero_from : str
        As in `MeasuredDetector`.
    """

    taken: datetime
    movie: str
    values: dict[str, Estimate]
    zero_from: str

    @classmethod
    def of(cls, found: MeasuredDetector, taken: datetime, movie: str) -> Measurement:
        """Return the row of a detector."""
        values = {name: getattr(found, name) for name in QUANTITIES}
        known = {name: value for name, value in values.items() if value is not None}
        return cls(taken, movie, known, found.zero_from)

    def cells(self) -> tuple[str | float | None, ...]:
        """Return the row, in the order of `COLUMNS`."""
        numbers = (number for name in QUANTITIES for number in _numbers(self.values.get(name)))
        return (self.taken.isoformat(timespec="seconds"), self.movie, *numbers, self.zero_from)


def read_history(path: Path) -> tuple[Measurement, ...]:
    """Return the measurements in a CSV table, oldest first; none where there is no file.

    Raises
    ------
    InputError
        It cannot be read; names the line.
    """
    if not path.exists():
        return ()
    rows, problems = read_csv_table(path, "history", required=COLUMNS)
    if problems:
        line, text = problems[0]
        raise InputError(text, where=f"{path}, line {line}", advice="fix or remove that line")
    return tuple(sorted((_row(path, *row) for row in rows), key=lambda each: each.taken))


def with_measurement(history: Sequence[Measurement], added: Measurement) -> tuple[Measurement, ...]:
    """Return a history with one more measurement; that of the same movie is replaced."""
    others = [each for each in history if (each.taken, each.movie) != (added.taken, added.movie)]
    return tuple(sorted((*others, added), key=lambda each: each.taken))


def drift_sentences(history: Sequence[Measurement]) -> tuple[str, ...]:
    """Return a sentence on the quantities that drifted by more than the intervals allow, if any.

    Measurements are compared with their weighted mean (Cochran's Q).
    """
    if len(history) < 2:
        return ("the first measurement of this history",)
    found = tuple(filter(None, (_drift(name, history) for name in QUANTITIES)))
    steady = f"no change beyond the intervals in {len(history)} measurements"
    return found or (steady,)


def _drift(name: str, history: Sequence[Measurement]) -> str:
    rows = [each for each in history if name in each.values and _error(each.values[name]) > 0]
    if name == "zero_counts":  # zero levels of different origins are not comparable
        rows = [each for each in rows if each.zero_from == history[-1].zero_from]
    if len(rows) < 2:
        return ""
    value = np.array([each.values[name].value for each in rows])
    weight = np.array([_error(each.values[name]) for each in rows]) ** -2
    off = value - np.average(value, weights=weight)
    if chdtrc(len(rows) - 1, float((weight * off**2).sum())) >= DRIFT_P:
        return ""
    change = f"{value[-1] - value[0]:+.3g}"
    # a relative change of the zero level means nothing, nor does one of a value near 0
    if name != "zero_counts" and rows[0].values[name].ci95[0] > 0:
        change += f", {100 * (value[-1] / value[0] - 1):+.1f} %"
    return (
        f"{QUANTITIES[name]} drifted by more than the intervals allow: "
        f"{value[0]:.4g} on {rows[0].taken:%Y-%m-%d}, "
        f"{value[-1]:.4g} on {rows[-1].taken:%Y-%m-%d} ({change})"
    )


def _error(estimate: Estimate) -> float:
    low, high = estimate.ci95
    return (high - low) / (2 * SDS_OF_95)


def _numbers(estimate: Estimate | None) -> tuple[float | None, ...]:
    return (None,) * 3 if estimate is None else (estimate.value, *estimate.ci95)


def _row(path: Path, line: int, texts: dict[str, str]) -> Measurement:
    cells = {column: plain_cell(text) for column, text in texts.items()}
    try:
        taken = datetime.fromisoformat(cells["taken"]).astimezone()
        values = dict(_estimates(cells))
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"a number or time cannot be read ({error})",
            where=f"{path}, line {line}",
            advice="fix or remove that line; times are written as 2026-01-31T12:00:00+00:00",
        ) from None
    return Measurement(taken, cells["movie"], values, cells["zero_from"])


def _estimates(cells: dict[str, str]) -> Iterator[tuple[str, Estimate]]:
    for name in QUANTITIES:
        texts = [cells[f"{name}{end}"] for end in _ENDS]
        if any(texts):
            value, low, high = map(number_in, texts)
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(f"{name} of {value:g} in {low:g} to {high:g}")
            yield name, Estimate(value, (low, high))
