"""The images of a cohort and their settings, from a folder or a table."""

from __future__ import annotations

import csv
import io
import math
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.cohort.metadata import settings_of
from cop_core.cohort.patterns import as_value, compile_pattern, reference_name
from cop_core.csv_table import TO_RENAME, column_name, path_cell, read_csv_table, safe_cell
from cop_core.errors import InputError, option
from cop_core.recipes import COHORT_FILE, CohortPicture, StackOptions
from cop_core.recipes.values import folder_name
from cop_core.stacks.formats import format_of, tiff_folder
from cop_core.stacks.image_file import TIFF, is_image
from cop_core.stacks.listing import list_stacks
from cop_core.words import listed
from cop_core.writing import replace_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cop_core.recipes import SettingValue

FILE: Final = "file"
"""Column of the table that names the file; a path relative to the table."""
REFERENCE: Final = "reference"
CHANNEL: Final = "channel"
_ROUNDED: Final = 0.02
"""Relative rounding of numbers in names and tables: a shutter of 1/60 s is written as 0.017."""
_ADVICE: Final = "use a folder of images or stacks, or a CSV with a column 'file'"


@dataclass(frozen=True)
class Gathered:
    """The images found.

    Attributes
    ----------
    pictures : tuple of CohortPicture
    left_out : tuple of Path
        Files whose names do not fit the pattern.
    overruled : dict of str to int
        By setting, the number of files that state a value other than their name or the table.
    """

    pictures: tuple[CohortPicture, ...]
    left_out: tuple[Path, ...] = ()
    overruled: Mapping[str, int] = field(default_factory=dict)

    @property
    def not_used(self) -> str:
        """A sentence on the values in files that are not used; empty if there are none."""
        if not self.overruled:
            return ""
        counts = self.overruled.items()
        said = listed([f"{name} of {n} file{'s' if n > 1 else ''}" for name, n in counts])
        return f"not used: {said}; the table or the file name states another value"


@dataclass(frozen=True)
class _Listed:
    """A file and the other cells of its row in the table, as text."""

    path: Path
    cells: Mapping[str, str]


def gather(
    source: str | os.PathLike[str],
    defaults: StackOptions | None = None,
    *,
    pattern: str | None = None,
    reference: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Gathered:
    """List images with the settings that files, names and the table state.

    The table takes precedence over the name, and the name over the file; an empty cell means that
    a setting is not known.

    Parameters
    ----------
    source : path
        A folder, whose images and stacks are all taken (TIFFs of one plane each are images,
        not planes of one stack), or a CSV with a column ``file`` (paths
        relative to the CSV) and, as wanted, ``reference``, ``channel`` and one column for each
        setting, named with its unit.
    defaults : StackOptions, optional
        How stacks are opened.
    pattern, reference : str, optional
        As in `CohortRecipe`.
    progress : callable
        Called with the number of files examined, and the total.

    Raises
    ------
    InputError
        There is no image, or the table or a pattern cannot be used.
    """
    root = Path(source).absolute()
    named = compile_pattern(pattern) if pattern else None
    if named:
        require_names(named.groupindex, where=option("pattern"))
    if reference and not pattern:
        raise InputError(
            "a pattern for references needs a pattern for files too",
            where=option("reference"),
            advice="set both",
        )
    pictures: list[CohortPicture] = []
    left_out: list[Path] = []
    overruled: Counter[str] = Counter()
    found = _of_folder(root) if root.is_dir() else _of_table(root)
    names = _names([one.path for one in found])
    for number, (one, name) in enumerate(zip(found, names, strict=True), start=1):
        match = named.fullmatch(one.path.stem) if named else None
        if named and match is None:
            left_out.append(one.path)
        else:
            words = match.groupdict() if match else {}
            beside = reference and reference_name(reference, words)
            known = settings_of(one.path)
            row = _picture(one, name, defaults or StackOptions(), known, words, beside)
            overruled.update(_overruled(known, row.settings))
            pictures.append(row)
        progress(number, len(found))
    if not pictures:
        raise InputError(
            f"no file of {len(found)} matches the pattern {pattern!r}" if found else "no image",
            where=str(source),
            advice=_ADVICE,
        )
    return Gathered(tuple(pictures), tuple(left_out), dict(sorted(overruled.items())))


def _of_folder(root: Path) -> list[_Listed]:
    """List images and stacks below a folder, except those in reports and hidden folders."""
    found = {path for path in root.rglob("*") if is_image(path) and path.is_file()}
    try:
        found |= {path for stack in list_stacks(root).stacks for path in _apart(stack)}
    except InputError:
        if not found:
            raise
    reports = [file.parent for file in root.rglob(COHORT_FILE)]
    own = (path for path in found if not any(path.is_relative_to(each) for each in reports))
    shown = (p for p in own if not any(x.startswith(".") for x in p.relative_to(root).parts))
    return [_Listed(path, {}) for path in sorted(shown)]


def _apart(stack: Path) -> list[Path]:
    """Return the files of a folder of single images, which could be the planes of a stack."""
    if stack.is_dir() and format_of(stack) is tiff_folder:
        return [path for path in stack.iterdir() if path.suffix.lower() in TIFF]
    return [stack]


def _of_table(file: Path) -> list[_Listed]:
    rows, problems = read_csv_table(file, "table", required=(FILE,), distinct=True, advice=_ADVICE)
    problems += [(line, "no file") for line, cells in rows if not cells[FILE]]
    if problems:
        said = "; ".join(f"line {line}: {text}" for line, text in sorted(problems))
        raise InputError(f"the table cannot be used: {said}", where=str(file), advice=_ADVICE)
    return [
        _Listed(file.parent / cells[FILE], {k: v for k, v in cells.items() if k and k != FILE})
        for _, cells in rows
    ]


def _picture(
    one: _Listed,
    name: str,
    defaults: StackOptions,
    known: Mapping[str, SettingValue],
    words: Mapping[str, str],
    beside: str | None,
) -> CohortPicture:
    cells = dict(one.cells)
    reference, channel = cells.pop(REFERENCE, "") or beside, cells.pop(CHANNEL, "")
    stated = {key: text for key, text in words.items() if column_name(key) not in cells} | cells
    names = {*map(column_name, stated)}
    settings = {k: v for k, v in known.items() if column_name(k) not in names}
    settings |= {key: as_value(text) for key, text in stated.items() if text}
    opened: dict[str, Any] = {"source": str(one.path), "name": name}
    if channel:
        opened["channel"] = channel
    of = None
    if reference:
        of = defaults.but(source=str(one.path.parent / reference), name=f"{name} reference")
    return CohortPicture(picture=defaults.but(**opened), settings=settings, reference=of)


def _overruled(
    known: Mapping[str, SettingValue], taken: Mapping[str, SettingValue]
) -> Iterator[str]:
    """Yield the settings of a file that are replaced by another value, rounding aside."""
    values = {column_name(name): value for name, value in taken.items()}
    for name, value in known.items():
        other = values.get(column_name(name), value)
        if isinstance(value, float) and isinstance(other, float):
            same = math.isclose(value, other, rel_tol=_ROUNDED)
        else:
            same = value == other
        if not same:
            yield name


def _names(paths: Sequence[Path]) -> Iterator[str]:
    """Yield a unique name for each path, with folders and numbers if files share a name."""
    counts = Counter(folder_name(path.stem).casefold() for path in paths)
    seen: Counter[str] = Counter()
    for path in paths:
        name = folder_name(path.stem)
        if counts[name.casefold()] > 1:
            name = folder_name(f"{path.parent.name}_{path.name}")
        seen[name.casefold()] += 1
        number = seen[name.casefold()]
        yield name if number == 1 else f"{name}_{number}"


def require_names(settings: Iterable[str], *, where: str) -> None:
    """Refuse names of settings that would be the same column of a table.

    Raises
    ------
    InputError
        One is the name of another column, or two differ only in case and spaces.
    """
    seen: dict[str, str] = {}
    for name in settings:
        column = column_name(name)
        if column in (FILE, REFERENCE, CHANNEL):
            raise InputError(
                f"{name!r} cannot be a setting, as the table has a column of that name for "
                "something else",
                where=where,
                advice=f"use another name, such as {column}_name",
            )
        if column in seen:
            raise InputError(
                f"the settings {seen[column]!r} and {name!r} would share one column of a table",
                where=where,
                advice=TO_RENAME,
            )
        seen[column] = name


def save_table(pictures: Sequence[CohortPicture], file: str | os.PathLike[str]) -> None:
    """Write images and their settings as a table that `gather` reads.

    Raises
    ------
    InputError
        It cannot be written, or two settings would share a column (`require_names`).
    """
    target = Path(file).absolute()
    settings = list(dict.fromkeys(key for one in pictures for key in one.settings))
    require_names(settings, where=str(target))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([FILE, REFERENCE, CHANNEL, *map(safe_cell, settings)])
    for one in pictures:
        reference = one.reference.source if one.reference else None
        writer.writerow(
            [
                path_cell(Path(one.picture.source or ""), target.parent),
                path_cell(Path(reference), target.parent) if reference else "",
                "" if one.picture.channel is None else one.picture.channel,
                *(_cell(one.settings.get(key, "")) for key in settings),
            ]
        )
    replace_files({target: text.getvalue().encode("utf-8-sig")})


def _cell(value: SettingValue) -> SettingValue:
    """Return a value as a cell that `as_value` reads back; no word becomes formula or number."""
    if not isinstance(value, str):
        return value
    text = safe_cell(value)
    return text if as_value(text) == value else f"'{value}"
