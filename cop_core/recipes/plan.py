"""The plan of a study: a CSV with one stack per row, checked as a whole before any is read."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from cop_core.csv_table import Problem, Row, path_cell, read_csv_table
from cop_core.errors import InputError, Terms, as_argument, in_terms
from cop_core.recipes.base import Option, RecipeError, problems_in
from cop_core.recipes.jobs import ARMS, StudyRecipe, StudyStack
from cop_core.recipes.power import Over
from cop_core.recipes.stack import StackOptions
from cop_core.recipes.values import AS_FILE, below, folder_name, is_address
from cop_core.writing import replace_files

ReadTable = Callable[[Path, Over], object]
"""Reads a power table, over depth or setting; raises InputError if it cannot."""

_SUFFIXES: Final = re.compile(r"(\.ome)?\.(zarr|tiff?|btf)$", re.IGNORECASE)
_TABLES: Final[dict[str, Over]] = {"power": "depth_um", "power_scale": "setting"}
"""Columns that may contain the path of a table, and the variable of that table."""
_ALIKE: Final = 0.8
"""Similarity above which the name of one arm may be a misspelling of another."""
_DIGITS: Final = re.compile(r"\d+")


class PlanError(InputError):
    """Raised for all rows of a plan that cannot be used.

    Attributes
    ----------
    problems : tuple of str
        One per problem: the line, what is wrong and what to do.
    """

    def __init__(self, problems: Sequence[Problem], *, where: str) -> None:
        ordered = sorted(problems, key=lambda problem: problem[0])
        self.problems = tuple(f"line {line}: {text}" for line, text in ordered)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the plan"
        super().__init__(f"{count}; nothing was read", where=where)

    def said(self, terms: Terms = as_argument) -> str:
        return "\n  ".join([super().said(terms), *self.problems])


def columns() -> dict[str, Option]:
    """Return the columns of a plan, in their order, with the option of each.

    All are fields of recipes except `stack` and `note`; the latter is not evaluated.
    """
    return {
        "stack": Option(
            "File or folder, relative to the folder of the plan, or an address.", "Stack"
        ),
        **{name: option for name, _, option in StudyStack.options() if option.column},
        **{name: option for name, _, option in StackOptions.options() if option.column},
        "note": Option("Yours.", "Note"),
    }


# --- reading ---------------------------------------------------------------------------------


def read_plan(
    path: str | os.PathLike[str],
    read_power: ReadTable,
    defaults: StackOptions | None = None,
    **asked: Any,
) -> StudyRecipe:
    """Read and check a plan.

    Parameters
    ----------
    path : path
        CSV, UTF-8 with or without byte order mark, separated by ``,`` or ``;`` (numbers may then
        have a decimal comma), with `columns`, of which ``stack`` and ``arm`` are required. Paths
        are relative to the plan's folder. Empty cells take the value in `defaults`, and
        ``metadata`` the value in the file.
    read_power : callable
        `cop_core.stacks.read_power_table`, for tables named in the plan.
    defaults : StackOptions, optional
        How stacks are opened if their rows do not say.
    **asked
        Other fields of `StudyRecipe`.

    Raises
    ------
    InputError
        It cannot be read as a table, or lacks a column. A `PlanError` lists every row that
        cannot be used: missing files, bad names and numbers, stacks or names given twice,
        animals stated for some rows only.
    """
    file = Path(path)
    table, problems = _table(file)
    stacks, wrong = check_cells(table, file.parent, read_power, defaults)
    if problems or wrong:
        raise PlanError([*problems, *wrong], where=str(file))
    if not stacks:
        raise InputError("the plan has no rows", where=str(file), advice="list one stack per row")
    chosen = defaults or StackOptions()
    return StudyRecipe(plan=str(file), defaults=chosen, stacks=tuple(stacks), **asked)


def plan_cells(path: str | os.PathLike[str]) -> tuple[dict[str, str], ...]:
    """Return the cells of a plan for editing: text by column, not checked.

    Raises
    ------
    InputError
        It cannot be read as a table, or lacks a column.
    """
    file = Path(path).absolute()
    table, problems = _table(file)
    if problems:
        raise PlanError(problems, where=str(file))
    return tuple(cells for _, cells in table)


def _table(file: Path) -> tuple[list[Row], list[Problem]]:
    return read_csv_table(
        file,
        "plan",
        required=("stack", "arm"),
        known=columns(),
        numbers=("power", "power_scale", "z_step_um"),
        aliases={"z_step": "z_step_um"},
    )


def check_cells(
    table: Iterable[tuple[int, Mapping[str, str]]],
    folder: Path,
    read_power: ReadTable,
    defaults: StackOptions | None = None,
) -> tuple[list[StudyStack], list[Problem]]:
    """Check the cells of a plan.

    Parameters
    ----------
    table : iterable of (int, mapping)
        Line, and text by column, of every row.
    folder : Path
        Folder to which paths are relative.
    read_power, defaults
        As for `read_plan`.

    Returns
    -------
    stacks, problems : list of StudyStack, list of (int, str)
        The rows that are valid by themselves; line and text of all problems.
    """
    stacks: list[StudyStack] = []
    problems: list[Problem] = []
    for line, texts in table:
        cells = {column: text.strip() for column, text in texts.items()}
        given, said = _given(cells, folder, read_power, defaults or StackOptions())
        wrong = problems_in(StudyStack, given)
        said = [*_lacking(cells, folder), *said, *(_in_words(e.field[-1], e) for e in wrong)]
        problems += [(line, text) for text in said]
        stacks += [] if said else [StudyStack(line=line, **given)]
    return stacks, [*problems, *_between(stacks)]


def _lacking(cells: Mapping[str, str], folder: Path) -> Iterator[str]:
    stack = cells.get("stack")
    if not stack:
        yield "no stack; enter its path"
    elif not is_address(stack) and not os.path.exists(below(folder, stack)):  # noqa: PTH110
        yield f"no such file or folder {stack!r}; paths are relative to {folder}"
    if not cells.get("arm"):
        yield f"no arm; enter its protocol, such as {' or '.join(ARMS)}"


def _given(
    cells: Mapping[str, str], folder: Path, read_power: ReadTable, defaults: StackOptions
) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of a `StudyStack`, and the problems in the cells of its stack."""
    stack, said = dict(defaults), []
    for name, _, option in StackOptions.options():
        if option.column and cells.get(name):
            try:
                stack[name] = _read(name, cells[name], folder, read_power, path=option.path)
            except InputError as error:
                said.append(_in_words(name, error))
    stack |= {"source": below(folder, cells.get("stack", "")), "name": _name(cells)}
    own = {name: cells[name] for name, _, _ in StudyStack.options() if cells.get(name)}
    channel = cells.get("channel", "").replace(AS_FILE, "")
    return {"arm": ARMS[0], **own, "stack": stack, "channel": channel}, said


def _read(name: str, text: str, folder: Path, read_power: ReadTable, *, path: bool) -> Any:
    """Return the value of a cell for a stack; paths of files are relative to the plan."""
    value = getattr(StackOptions.of({name: text}), name)
    if isinstance(value, Path):
        read_power(folder / value, _TABLES[name])
        return folder / value
    if path and isinstance(value, str):
        if not os.path.exists(folder / value):  # noqa: PTH110 - false for names that are too long
            raise InputError("no such file", where=value, advice=f"paths are relative to {folder}")
        return str(folder / value)
    return value


def _name(cells: Mapping[str, str]) -> str:
    """Return the given name, else that of the file, with channel and time if stated."""
    choice = [f"{mark}{cells[c]}" for c, mark in (("channel", "c"), ("time", "t")) if cells.get(c)]
    return cells.get("name") or folder_name("-".join([stack_name(cells.get("stack", "")), *choice]))


def stack_name(path: str | Path) -> str:
    """Return the name of a file or folder without the endings that mark a stack."""
    return _SUFFIXES.sub("", Path(path).name)


def _in_words(field: str | int, error: InputError) -> str:
    column = "name" if field == "stack" else field
    where = "" if isinstance(error, RecipeError) else f"{error.where}: "
    advice = f"; {error.advice[0].lower()}{error.advice[1:]}" if error.advice else ""
    return in_terms(f"{column}: {where}{error.what}{advice}", _as_column)


def _as_column(field: str, value: str) -> str:
    return f"{value} in the column {field}" if value else f"the column {field}"


def _between(stacks: Sequence[StudyStack]) -> Iterator[Problem]:
    """Yield the conflicts between rows that are valid by themselves."""
    sources: dict[object, int] = {}
    places: dict[str, int] = {}
    arms: dict[str, StudyStack] = {}
    stated = any(row.animal for row in stacks)
    for row in stacks:
        stack = row.stack
        source = stack.source or ""
        place = source if is_address(source) else os.path.realpath(source)  # dead links too
        what = place, row.channel, stack.time, stack.position
        first = sources.setdefault(what, row.line)
        called = places.setdefault(row.place.casefold(), row.line)
        if first != row.line:
            yield row.line, f"the same stack as in line {first}; remove one"
        elif called != row.line:
            yield (
                row.line,
                f"the name {row.name!r} is used in line {called} too; use different names in the "
                "column 'name'",
            )
        written = arms.setdefault(folder_name(row.arm).casefold(), row)
        if written.arm != row.arm:
            yield (
                row.line,
                f"arm {row.arm!r} is too similar to {written.arm!r} in line {written.line}; use "
                "one of them, or two that differ more",
            )
        if stated and not row.animal:
            yield row.line, "no animal, but other rows have one; enter it, or clear the others"


def doubtful_arms(stacks: Iterable[StudyStack]) -> tuple[str, ...]:
    """Return arms of one stack whose names may be misspellings of larger arms.

    Names whose numbers differ are meant to differ. Each is a question, asked once.
    """
    sizes: dict[str, Counter[str]] = {}
    for row in stacks:
        sizes.setdefault(row.channel, Counter())[row.arm] += 1
    found = []
    for arms in sizes.values():
        larger = [arm for arm, n in arms.items() if n > 1]
        for arm in (arm for arm, n in arms.items() if n == 1):
            same = [other for other in larger if _DIGITS.findall(other) == _DIGITS.findall(arm)]
            for meant in get_close_matches(arm, same, n=1, cutoff=_ALIKE):
                has = f"which has {arms[meant]}"
                found.append(f"the arm {arm} has one stack: did you mean {meant}, {has}?")
    return tuple(dict.fromkeys(found))


# --- writing ---------------------------------------------------------------------------------


def save_plan(
    cells: Sequence[Mapping[str, str]],
    plan: str | os.PathLike[str],
    folder: str | os.PathLike[str],
) -> None:
    """Write rows as a plan, replacing an existing one.

    Parameters
    ----------
    cells : sequence of mapping
        Text by column, one mapping per row.
    plan : path
        The CSV file.
    folder : path
        Folder to which the paths in the cells are relative; in the file they are relative to its
        own.

    Raises
    ------
    InputError
        It cannot be written.
    """
    file, root = Path(plan).absolute(), Path(folder).absolute()
    header = [*columns()]
    rows = [[row.get(c, "") for c in header] for row in move_cells(cells, root, file.parent)]
    text = io.StringIO(newline="")
    returns = any("\r" in cell for row in rows for cell in row)  # not quoted by the writer
    quoting: Any = csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows([header, *rows])
    try:
        # the byte order mark tells spreadsheets that it is UTF-8
        replace_files({file: text.getvalue().encode("utf-8-sig")})
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(f"the plan cannot be written ({error})", where=str(plan)) from error


def move_cells(cells: Sequence[Mapping[str, str]], old: Path, new: Path) -> list[dict[str, str]]:
    """Return rows with the paths of stacks and of their tables relative to a folder."""
    files = {name for name, _, option in StackOptions.options() if option.path}

    def moved(cell: str, column: str) -> str:
        if is_address(cell):
            return cell
        is_path = column == "stack" or (column in files and (old / cell).exists())
        return path_cell(old / cell, new) if cell and is_path else cell

    return [{column: moved(cell, column) for column, cell in row.items()} for row in cells]
