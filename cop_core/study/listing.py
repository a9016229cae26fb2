"""The stacks below a folder, listed as a plan to be filled in."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tifffile

from cop_core.errors import InputError
from cop_core.stacks.files import source_files
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.formats.tiff_folder import tiffs_in
from cop_core.study.cells import ARMS, COLUMNS, folder_name, stack_name
from cop_core.writing import replace_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HEADER: Final = ("stack", "arm", "animal", "channel", "power", "z_step_um", "name")
_ZARR: Final = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_FORMULA: Final = ("=", "+", "-", "@")


def list_stacks(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the stacks below a folder, in the order of their paths.

    Parameters
    ----------
    folder : path
        Searched with the folders below it, hidden ones left out.

    Returns
    -------
    tuple of Path
        TIFF files, zarr folders, and folders whose TIFFs hold one plane each. The other files
        that an OME-TIFF names are part of it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", where=str(root), advice="Give the folder of the stacks")
    return tuple(_below(root))


def write_plan(folder: str | os.PathLike[str], plan: str | os.PathLike[str]) -> tuple[int, int]:
    """Write a plan with the stacks below a folder; what no name says is left empty.

    Parameters
    ----------
    folder : path
        Where the stacks are.
    plan : path
        The CSV file to write; it must not exist, so that none is lost that was filled in.

    Returns
    -------
    n_stacks, n_without_arm : int
        Rows written, and those whose arm is to be filled in: neither, or both, of ``fixed``
        and ``gained`` is a word of the path.

    Raises
    ------
    InputError
        There is no stack, or the plan exists or cannot be written.
    """
    file, root = Path(plan).absolute(), Path(folder).absolute()
    if file.exists():
        raise InputError("it exists already", where=str(plan), advice="Choose another name")
    cells = list_cells(root)
    save_plan(cells, file, root)
    return len(cells), sum(not row["arm"] for row in cells)


def list_cells(folder: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Return the rows of a plan with the stacks below a folder.

    Parameters
    ----------
    folder : path
        Where the stacks are.

    Returns
    -------
    list of dict
        Text by column; what no name says is empty. Paths are relative to the folder.

    Raises
    ------
    InputError
        There is no stack.
    """
    root = Path(folder).absolute()
    below = [stack.relative_to(root) for stack in list_stacks(root)]
    if not below:
        raise InputError("no TIFF or zarr below it", where=str(folder))
    arms = [arm_of(path) for path in below]
    return [
        {**dict.fromkeys(_HEADER, ""), "stack": path.as_posix(), "arm": arm, "name": name}
        for path, arm, name in zip(below, arms, _names(below, arms), strict=True)
    ]


def save_plan(
    cells: Sequence[Mapping[str, str]],
    plan: str | os.PathLike[str],
    folder: str | os.PathLike[str],
) -> None:
    """Write rows as a plan.

    Parameters
    ----------
    cells : sequence of mapping
        Text by column, one a row.
    plan : path
        The CSV file; one that is there is replaced.
    folder : path
        What the paths in the cells are relative to; in the file they are relative to its own.

    Raises
    ------
    InputError
        It cannot be written.
    """
    file, root = Path(plan).absolute(), Path(folder).absolute()
    moved = move_cells(cells, root, file.parent)
    columns = [c for c in COLUMNS if c in _HEADER or any(row.get(c) for row in moved)]
    rows = [[row.get(c, "") for c in columns] for row in moved]
    text = io.StringIO(newline="")
    returns = any("\r" in cell for row in rows for cell in row)  # which a writer does not quote
    writer = csv.writer(
        text, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    )
    writer.writerows([columns, *rows])
    try:
        # the mark tells spreadsheets that it is UTF-8
        replace_files({file: text.getvalue().encode("utf-8-sig")})
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(f"the plan cannot be written ({error})", where=str(plan)) from error


def move_cells(cells: Sequence[Mapping[str, str]], old: Path, new: Path) -> list[dict[str, str]]:
    """Return rows with the paths of stacks and power tables relative to another folder."""

    def moved(cell: str, column: str) -> str:
        is_path = column == "stack" or (column == "power" and (old / cell).is_file())
        return _relative(old / cell, new) if cell and is_path else cell

    return [{column: moved(cell, column) for column, cell in row.items()} for row in cells]


def arm_of(path: Path) -> str:
    """Return the arm that is a word of a path; empty where none is, or both are."""
    words = re.split(r"[^a-z]+", str(path).lower())
    found = [arm for arm in ARMS if arm in words]
    return found[0] if len(found) == 1 else ""


def _below(folder: Path) -> Iterator[Path]:
    if any((folder / name).exists() for name in _ZARR):
        yield folder
        return
    tiffs = sorted(tiffs_in(folder))
    if len(tiffs) > 1 and _is_one_plane(tiffs[0]):
        yield folder
        tiffs = []
    seen: set[Path] = set()
    for path in tiffs:
        if path not in seen:
            yield path
        seen.update(source_files(path))
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            yield from _below(path)


def _is_one_plane(path: Path) -> bool:
    try:
        with quiet_tifffile(), tifffile.TiffFile(path) as tif:
            return bool(tif.series[0].ndim == 2)
    except Exception:  # damaged in one of many ways: listed, so that reading it says how
        return False


def _relative(stack: Path, folder: Path) -> str:
    try:
        text = Path(os.path.relpath(stack, folder)).as_posix()
    except ValueError:  # on another drive
        text = str(stack)
    return f"./{text}" if text.startswith(_FORMULA) or text != text.lstrip() else text


def _names(paths: Sequence[Path], arms: Sequence[str]) -> list[str]:
    """Return a name for each path, with its folders where the file's alone is not unique.

    While arms are to be filled in, a name must be unique in the whole study.
    """
    short = [folder_name(stack_name(path)) for path in paths]
    keys = [(arm if all(arms) else "", s.casefold()) for arm, s in zip(arms, short, strict=True)]
    return [
        name if keys.count(key) == 1 else folder_name(stack_name("_".join(path.parts)))
        for name, key, path in zip(short, keys, paths, strict=True)
    ]
