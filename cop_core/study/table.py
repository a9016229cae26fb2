"""The table that a plan is: a CSV file as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError
from cop_core.study.cells import COLUMNS, column_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_MOST_BYTES: Final = 16 * 2**20
_REQUIRED: Final = ("stack", "arm")
_NUMBERS: Final = {"power", "z_step_um"}
_COMMA: Final = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")

Problem = tuple[int, str]
"""Line of a plan, and what is wrong with it and what to do."""


def read_table(file: Path) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    """Return what stands in a plan.

    Parameters
    ----------
    file : Path
        CSV, UTF-8 with or without byte order mark, separated by ``,`` or ``;``.

    Returns
    -------
    rows, problems : list of (int, dict), list of (int, str)
        Line, and text by column, of every row that is not empty; the rows that do not fit the
        header.

    Raises
    ------
    InputError
        It cannot be read as a table, or lacks a column.
    """
    text = _text(file)
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    table = _table(io.StringIO(text, newline=""), delimiter, file)
    _, header = next(table, (0, []))
    columns = _columns(header, file)
    rows: list[tuple[int, dict[str, str]]] = []
    problems: list[Problem] = []
    for line, texts in table:
        if len(texts) == len(columns):
            cells = dict(zip(columns, texts, strict=True))
            rows.append((line, _with_points(cells) if delimiter == ";" else cells))
        else:
            said = f"{len(texts)} cells for {len(columns)} columns; put quotes around a cell that "
            problems.append((line, said + 'holds a separator, such as "gained:5,300,60"'))
    return rows, problems


def _with_points(cells: dict[str, str]) -> dict[str, str]:
    """Return cells with decimal points where numbers have commas."""
    return {
        column: text.replace(",", ".") if column in _NUMBERS and _COMMA.fullmatch(text) else text
        for column, text in cells.items()
    }


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError("too large for a plan", where=str(file), advice="Give a CSV table")
        return file.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            f"the plan cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})",
            where=str(file),
            advice="Give a CSV table; a spreadsheet saves it as CSV UTF-8",
        ) from None


def _table(lines: Iterable[str], delimiter: str, file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line and cells of every row that is not empty."""
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise InputError(f"not a CSV table ({error})", where=str(file)) from None


def _columns(header: list[str], file: Path) -> list[str]:
    columns = [column_name(cell) for cell in header]
    unknown = [cell for cell, name in zip(header, columns, strict=True) if name not in COLUMNS]
    lacking = [name for name in _REQUIRED if name not in columns]
    twice = {name for name in columns if columns.count(name) > 1}
    for what, names in (("lacks", lacking), ("has twice", twice), ("has an unknown", unknown)):
        if names:
            raise InputError(
                f"the header {what} {', '.join(map(repr, names))}",
                where=str(file),
                advice=f"Known columns are {', '.join(COLUMNS)}",
            )
    return columns
