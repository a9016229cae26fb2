"""The plan of a study: a table with one stack a row, checked before anything is read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.study.cells import COLUMNS, RowCells, column_name

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

_MOST_BYTES: Final = 16 * 2**20
_REQUIRED: Final = ("stack", "arm")


@dataclass(frozen=True)
class Row:
    """One stack of a study.

    Attributes
    ----------
    line : int
        Line of the plan that it stands in, from 1.
    stack : Path
        What `open_stack` takes.
    arm : {"fixed", "gained"}
        The protocol that it was acquired under.
    name : str
        What it is called, unique in its arm; the name of its folder.
    animal, channel : str
        Whose it is and which channel is read, as written; empty where not stated.
    opening : dict
        Further arguments of `open_stack` that the row states.
    """

    line: int
    stack: Path
    arm: str
    name: str
    animal: str
    channel: str
    opening: dict[str, Any]

    @property
    def place(self) -> str:
        """Its folder in that of the study, ``<arm>/<name>``; no other row has it."""
        return f"{self.arm}/{self.name}"


class PlanError(InputError):
    """Rows of a plan that cannot be used, all of them.

    Attributes
    ----------
    problems : tuple of str
        One a problem: the line, what is wrong and what to do.
    """

    def __init__(self, problems: Sequence[str], *, where: str) -> None:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the plan"
        super().__init__(f"{count}, nothing was read", where=where)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n  ".join([super().__str__(), *self.problems])


def read_plan(path: str | os.PathLike[str]) -> tuple[Row, ...]:
    """Read and check a plan.

    Parameters
    ----------
    path : path
        CSV, UTF-8 with or without byte order mark, separated by ``,`` or ``;`` (numbers may
        then have a decimal comma). Columns ``stack`` and ``arm``, and as wanted ``animal,
        channel, power, z_step_um, axes, time, name, note``. Paths are relative to the plan's
        folder. What is left empty is as the file states.

    Returns
    -------
    tuple of Row
        In the order of the plan.

    Raises
    ------
    InputError
        It cannot be read as a table, or lacks a column. A `PlanError` lists every row that
        cannot be used: missing files, unknown arms, bad numbers, stacks or names given twice,
        animals stated for some rows only.
    """
    file = Path(path).absolute()
    lines = _text(file).splitlines()
    delimiter = ";" if lines and ";" in lines[0] else ","
    table = _table(lines, delimiter, file)
    _, header = next(table, (0, []))
    columns = _columns(header, file)
    rows, problems = _rows(table, columns, file.parent, delimiter)
    problems += _between(rows)
    if problems:
        raise PlanError(sorted(problems, key=_line_of), where=str(file))
    if not rows:
        raise InputError("the plan has no rows", where=str(file), advice="Name a stack in each row")
    return tuple(rows)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError("too large for a plan", where=str(file), advice="Give a CSV table")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            f"the plan cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})",
            where=str(file),
            advice="Give a CSV table; a spreadsheet saves it as CSV UTF-8",
        ) from None


def _table(lines: list[str], delimiter: str, file: Path) -> Iterator[tuple[int, list[str]]]:
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


def _rows(
    table: Iterator[tuple[int, list[str]]], columns: list[str], folder: Path, delimiter: str
) -> tuple[list[Row], list[str]]:
    """Return the rows that are good by themselves, and what is wrong with the others."""
    rows: list[Row] = []
    problems: list[str] = []
    for line, texts in table:
        if len(texts) != len(columns):
            problems.append(
                f"line {line}: {len(texts)} cells for {len(columns)} columns; put quotes around "
                'a cell that holds a separator, such as "gained:5,300,60"'
            )
            continue
        cells = RowCells(dict(zip(columns, texts, strict=True)), folder, delimiter)
        row = _row(cells, line)
        rows += [] if cells.problems else [row]
        problems += [f"line {line}: {text}" for text in cells.problems]
    return rows, problems


def _row(cells: RowCells, line: int) -> Row:
    return Row(
        line=line,
        stack=cells.stack(),
        arm=cells.arm(),
        name=cells.name(),
        animal=cells["animal"],
        channel=cells["channel"],
        opening=cells.opening(),
    )


def _between(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what rows that are good by themselves do to each other."""
    stacks: dict[object, int] = {}
    places: dict[str, int] = {}
    stated = [row for row in rows if row.animal]
    for row in rows:
        what = row.stack.resolve(), row.channel, row.opening.get("time")
        first = stacks.setdefault(what, row.line)
        called = places.setdefault(row.place.casefold(), row.line)
        if first != row.line:
            yield f"line {row.line}: the stack of line {first} once more; remove one"
        elif called != row.line:
            yield (
                f"line {row.line}: called {row.name!r} as that of line {called}; "
                "give each another name in a column 'name'"
            )
        if stated and not row.animal:
            yield f"line {row.line}: no animal, others state theirs; state it, or none"


def _line_of(problem: str) -> int:
    return int(problem.removeprefix("line ").partition(":")[0])
