"""CSV tables as people and spreadsheets write them: plans of studies, powers over depth."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError
from cop_core.text_file import read_text_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_COMMA: Final = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_ADVICE: Final = "use a CSV table; save it from a spreadsheet as CSV UTF-8"
TO_RENAME: Final = "rename all but one (case is ignored, and a space counts as _)"

Row = tuple[int, dict[str, str]]
"""Line, from 1, and text by column."""
Problem = tuple[int, str]
"""Line, and its fault with the remedy."""
_FORMULA_START: Final = ("=", "+", "-", "@", "\t", "\r")
_MARK: Final = "'"


def safe_cell(text: str) -> str:
    """Return text that no spreadsheet mistakes for a formula; metadata may contain anything."""
    return f"{_MARK}{text}" if text.lstrip(_MARK).startswith(_FORMULA_START) else text


def plain_cell(text: str) -> str:
    """Return the text that `safe_cell` made safe."""
    return text[1:] if text.startswith(_MARK) and safe_cell(text) != text else text


def path_cell(path: Path, folder: Path) -> str:
    """Return a path as a cell of a table in a folder: relative, and no formula."""
    try:
        text = Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        text = str(path)
    return f"./{text}" if safe_cell(text) != text or text != text.lstrip() else text


def read_csv_table(
    path: Path,
    what: str,
    *,
    required: Collection[str],
    known: Collection[str] | None = None,
    numbers: Collection[str] = (),
    aliases: Mapping[str, str] | None = None,
    distinct: bool = False,
    advice: str = _ADVICE,
) -> tuple[list[Row], list[Problem]]:
    """Read a table: UTF-8 with or without byte order mark, separated by ``,`` or ``;``.

    Parameters
    ----------
    path : Path
        A regular file of at most `text_file.MAX_BYTES`.
    what : str
        Its name in messages.
    required : collection of str
        Required columns. Names are compared in lower case, with spaces as underscores.
    known : collection of str, optional
        Permitted columns; if not given, others are ignored.
    numbers : collection of str, optional
        Columns whose numbers may have decimal commas if ``;`` is the separator.
    aliases : mapping, optional
        Columns by their alternative names.
    distinct : bool
        Whether the names of unknown columns must be distinct too.
    advice : str, optional
        What to do if the file cannot be read.

    Returns
    -------
    rows, problems : list of (int, dict), list of (int, str)
        All rows that are not empty; rows that do not match the header are listed as problems.

    Raises
    ------
    InputError
        It cannot be read as a table, or a column is missing, duplicated or unknown.
    """
    text = read_text_file(path, what, advice=advice)
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    lines = _lines(text, delimiter, path)
    _, header = next(lines, (0, []))
    names = map(column_name, header)
    columns = [(aliases or {}).get(name, name) for name in names]
    _require_columns(columns, required, known, path, distinct=distinct)
    rows: list[Row] = []
    problems: list[Problem] = []
    for line, texts in lines:
        if len(texts) != len(columns):
            said = (
                f"{len(texts)} cells for {len(columns)} columns; put quotes around any cell that "
            )
            problems.append((line, said + 'contains a separator, such as "gained:5,300,60"'))
            continue
        cells = dict(zip(columns, texts, strict=True))
        if delimiter == ";":
            cells |= {column: with_point(cells[column]) for column in numbers if column in cells}
        rows.append((line, cells))
    return rows, problems


def with_point(text: str) -> str:
    """Return a number with a point for its decimal comma; other text as it is."""
    return text.replace(",", ".") if _COMMA.fullmatch(text) else text


def number_in(cell: str) -> float:
    """Read a cell as a number; raise ValueError for spellings that only Python accepts."""
    if "_" in cell or not (cell.isascii() and cell.isprintable()):
        raise ValueError(cell)  # Python reads 5_0, a damaged 5.0, as 50
    return float(cell)


def _lines(text: str, delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and cells of every row that is not empty."""
    # strict: a stray quote would swallow the rows up to the next one
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = [cell.strip(" \t\r\n\u00a0") for cell in row]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        problem = f"not a CSV table (line {reader.line_num}: {error})"
        raise InputError(problem, where=str(path), advice=_ADVICE) from None


def column_name(cell: str) -> str:
    """Return the name of a column: lower case, spaces as underscores."""
    return "_".join(plain_cell(cell).lower().split())


def _require_columns(
    columns: list[str],
    required: Collection[str],
    known: Collection[str] | None,
    path: Path,
    *,
    distinct: bool,
) -> None:
    used = [name for name in columns if known is not None or name in required]
    named = [name for name in columns if name] if distinct else used
    found = {
        "lacks": [name for name in required if name not in columns],
        "has twice": sorted({name for name in named if named.count(name) > 1}),
        "has an unknown": [name for name in used if known is not None and name not in known],
    }
    for what, names in found.items():
        if names:
            known_ones = f"known columns are {', '.join(required if known is None else known)}"
            raise InputError(
                f"the header {what} {', '.join(map(repr, names))}",
                where=str(path),
                advice=TO_RENAME if what == "has twice" else known_ones,
            )
