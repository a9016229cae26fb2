"""The plan of a study: a table with one stack a row, checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.csv_table import Problem, read_csv_table
from cop_core.errors import InputError
from cop_core.study.cells import ALIASES, COLUMNS, RowCells

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence


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
    table, problems = _read(file)
    rows, wrong = check_cells(table, file.parent)
    _require_none([*problems, *wrong], file)
    if not rows:
        raise InputError("the plan has no rows", where=str(file), advice="Name a stack in each row")
    return tuple(rows)


def plan_cells(path: str | os.PathLike[str]) -> tuple[dict[str, str], ...]:
    """Return what stands in the cells of a plan, to be edited.

    Parameters
    ----------
    path : path
        As for `read_plan`.

    Returns
    -------
    tuple of dict
        Text by column, one a row; not checked.

    Raises
    ------
    InputError
        It cannot be read as a table, or lacks a column.
    """
    file = Path(path).absolute()
    table, problems = _read(file)
    _require_none(problems, file)
    return tuple(cells for _, cells in table)


def check_cells(
    table: Iterable[tuple[int, Mapping[str, str]]], folder: Path
) -> tuple[list[Row], list[Problem]]:
    """Check what stands in the cells of a plan.

    Parameters
    ----------
    table : iterable of (int, mapping)
        Line, and text by column, of every row.
    folder : Path
        What paths are relative to.

    Returns
    -------
    rows, problems : list of Row, list of (int, str)
        The rows that are good by themselves; line and text of all that is wrong.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    for line, texts in table:
        cells = RowCells({column: text.strip() for column, text in texts.items()}, folder)
        row = _row(cells, line)
        rows += [] if cells.problems else [row]
        problems += [(line, text) for text in cells.problems]
    return rows, [*problems, *_between(rows)]


def _read(file: Path) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    return read_csv_table(
        file,
        "plan",
        required=("stack", "arm"),
        known=COLUMNS,
        numbers=("power", "z_step_um"),
        aliases=ALIASES,
    )


def _require_none(problems: Sequence[Problem], file: Path) -> None:
    if problems:
        ordered = sorted(problems, key=lambda problem: problem[0])
        raise PlanError([f"line {line}: {text}" for line, text in ordered], where=str(file))


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


def _between(rows: Sequence[Row]) -> Iterator[Problem]:
    """Yield what rows that are good by themselves do to each other."""
    stacks: dict[object, int] = {}
    places: dict[str, int] = {}
    stated = [row for row in rows if row.animal]
    for row in rows:
        what = row.stack.resolve(), row.channel, row.opening.get("time")
        first = stacks.setdefault(what, row.line)
        called = places.setdefault(row.place.casefold(), row.line)
        if first != row.line:
            yield row.line, f"the stack of line {first} once more; remove one"
        elif called != row.line:
            yield (
                row.line,
                f"called {row.name!r} as that of line {called}; give each another name in a "
                "column 'name'",
            )
        if stated and not row.animal:
            yield row.line, "no animal, others state theirs; state it, or none"
