"""The history of a detector: a table that grows with every measurement, and its figure."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.dates import date2num

from cop_core.detector.history import (
    COLUMNS,
    QUANTITIES,
    Measurement,
    drift_sentences,
    read_history,
    with_measurement,
)
from cop_core.errors import InputError
from cop_core.report.csv_tables import csv_text
from cop_core.report.plot_style import LOOKS, shade
from cop_core.words import capital
from cop_core.writing import lock_in, placed, require_place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.records import PhotonTransfer

_SUFFIX: Final = ".csv"
_LOCK_FILE: Final = ".cop-history.lock"


def require_history(path: Path) -> None:
    """Read a history before minutes of work, and refuse a file that could not be written later."""
    if path.suffix.lower() != _SUFFIX:
        raise InputError(
            "a history is a CSV table", where=str(path), advice="use a file name that ends in .csv"
        )
    require_place_of(path)
    read_history(path)


def add_to_history(found: PhotonTransfer, path: Path) -> tuple[str, ...]:
    """Add a measurement to a history, draw its figure beside it, and report any drift.

    Parameters
    ----------
    found : PhotonTransfer
        Of a movie in a file.
    path : Path
        CSV table, created where it does not exist; the figure has its name.

    Raises
    ------
    InputError
        The table cannot be read or written, or the movie is in no file.
    """
    from cop_core.report.figures import save_figure

    added = _measurement(found)
    with lock_in(path.parent, _LOCK_FILE):  # or one of two at once would lose its row
        history = with_measurement(read_history(path), added)
        text = csv_text([COLUMNS, *(each.cells() for each in history)])
        with placed(path.parent) as folder:
            (folder / path.name).write_bytes(text.encode())
            save_figure(lambda: history_figure(history), folder / path.stem)
    return drift_sentences(history)


def _measurement(found: PhotonTransfer) -> Measurement:
    made = found.provenance.get(found.name)
    if made is None or made.files is None:
        raise InputError("the movie is not in a file, so the time of recording is not known")
    taken = datetime.fromisoformat(made.files.modified).replace(microsecond=0)
    return Measurement.of(found.detector, taken, _as_read_back(Path(made.source).name))


def _as_read_back(name: str) -> str:
    """Return a file's name as it is read back from a table."""
    return " ".join(name.encode("utf-8", "backslashreplace").decode().split())


def history_figure(history: Sequence[Measurement], *, stacked: bool = False) -> Figure:
    """Draw the quantities of a detector over time, with 95 % intervals.

    Parameters
    ----------
    stacked : bool
        Below each other, for a narrow page, and not side by side.
    """
    from cop_core.report.figures import page_wide

    shown = [name for name in QUANTITIES if any(name in each.values for each in history)]
    n = len(shown)
    figure = page_wide(height_in=0.6 + 1.6 * (n if stacked else 1))
    for number, name in enumerate(shown):
        grid = (n, 1) if stacked else (1, n)
        _draw(figure.add_subplot(*grid, number + 1), history, name)
    figure.autofmt_xdate()
    return figure


def _draw(ax: Axes, history: Sequence[Measurement], name: str) -> None:
    rows = [(each.taken, each.values[name]) for each in history if name in each.values]
    value = np.array([estimate.value for _, estimate in rows])
    ends = np.array([estimate.ci95 for _, estimate in rows]).T
    around = np.abs(ends - value)
    times = date2num([taken for taken, _ in rows])
    ax.xaxis_date()
    ax.errorbar(times, value, around, fmt="o-", ms=3, lw=0.7, color=LOOKS[1].colour)
    ax.axhline(value[0], color=shade(0.5), lw=0.7, ls=":")
    title = QUANTITIES[name].removeprefix("the ")
    ax.set_title(capital(title))
    ax.set_ylabel("Counts")
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.spines[["top", "right"]].set_visible(False)
