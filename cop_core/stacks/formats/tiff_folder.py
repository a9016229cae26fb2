"""A folder of TIFFs with one plane each, numbered in their names."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError, MissingOptionError
from cop_core.stacks.axes import require_axes
from cop_core.stacks.dataset import (
    BrokenPlaneError,
    Dataset,
    Growth,
    Opening,
    Position,
    Stamp,
    stamp_of,
)
from cop_core.stacks.formats.tiff import describe as describe_tiff
from cop_core.stacks.limits import require_plane_count

if TYPE_CHECKING:
    import numpy.typing as npt

KIND = "a folder of numbered TIFFs"

FILE_MISSING: Final = "file missing"
_ADVICE: Final = (
    "open one of them, or, if they are the planes of one channel, number them 0000, 0001 ... in a "
    "folder of their own"
)


def recognises(path: Path) -> bool:
    """Return whether a folder has TIFFs."""
    return path.is_dir() and bool(tiffs_in(path))


def tiffs_in(folder: Path) -> list[Path]:
    """Return the TIFFs in a folder, except names that begin with a dot."""
    with os.scandir(folder) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.name.lower().endswith((".tif", ".tiff"))
            and not entry.name.startswith(".")
            and entry.is_file()
        ]


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe a folder of TIFFs as one stack.

    Its files are planes; a missing number is a missing plane.

    Raises
    ------
    InputError
        If the names do not give the order, or no file is a plane.
    """
    tiffs = sorted(tiffs_in(path))
    if all(_is_whole(file) for file in tiffs[:2]):
        raise of_whole_stacks(path, tiffs)
    files = numbered(tiffs, str(path))
    low, high = min(files), max(files)
    if high - low + 1 > 2 * len(files):
        problem = f"{len(files)} TIFFs are numbered {low} to {high}"
        raise InputError(problem, where=str(path), advice=_ADVICE)
    return describe_numbered(path, files, low, opening.axes)


def of_whole_stacks(folder: Path, files: Sequence[Path]) -> InputError:
    """Return the error for a folder whose files are stacks rather than planes."""
    one = files[0].name
    what, advice = (
        "it holds several separate stacks",
        f"open one of them, for example {one!r}; for all of them: cop plan FOLDER -o plan.csv, "
        "then cop batch plan.csv -o study",
    )
    if len(files) == 1:
        what, advice = "it is a folder around one file", f"open {one!r} in it"
    return InputError(what, where=str(folder), advice=advice)


def _is_whole(path: Path) -> bool:
    """Return whether a file has several planes, by itself or with others that it names."""
    try:
        return math.prod(describe_tiff(path, Opening()).shape[:-2]) > 1
    except MissingOptionError:  # it has several stacks
        return True
    except InputError:
        return False


def numbered(paths: list[Path], where: str) -> dict[int, Path]:
    """Return the files of planes by the number in their names.

    Raises
    ------
    InputError
        If the names differ in more than numbers, or no number is unique to each.
    """
    parts = [re.split(r"(\d+)", path.name) for path in paths]
    texts = {tuple(found[::2]) for found in parts}
    if len(texts) > 1:
        first, second = sorted("#".join(text) for text in texts)[:2]
        problem = f"the names of its TIFFs do not match: {first!r}, {second!r}"
        raise InputError(problem, where=where, advice=_ADVICE)
    columns = list(zip(*([int(n) for n in found[1::2]] for found in parts), strict=True))
    counting = [column for column in columns if len(set(column)) == len(paths)]
    if not counting:
        raise InputError(
            "no number in the names of its TIFFs distinguishes all of them",
            where=where,
            advice=_ADVICE,
        )
    # a time of day may differ too; plane numbers have the fewest gaps
    numbers = min(counting, key=lambda column: (max(column) - min(column), min(column)))
    return dict(zip(numbers, paths, strict=True))


def describe_numbered(
    folder: Path, files: dict[int, Path], first: int, axes: str | None
) -> Dataset:
    """Describe files of one plane each by number, given the number of the first plane."""
    where = str(folder)
    n_planes = max(files) - first + 1
    require_plane_count(n_planes, where)
    plane = _first_readable([files[number] for number in sorted(files)])
    read = _NumberedPlanes(files, first)
    return replace(
        plane,
        source=where,
        name=folder.resolve().name,
        kind="tiff-folder",
        axes=require_axes(axes, 3, where) if axes else f"Q{plane.axes}",
        shape=(n_planes, *plane.shape),
        read=read,
        declared=False,
        growth=Growth(read.stamp, shared_axes=""),
    )


@dataclass(frozen=True)
class _NumberedPlanes:
    """Reads a plane from the file of its number; the first plane has the number ``first``."""

    files: dict[int, Path]
    first: int

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        path = self._file(position)
        if path is None:
            raise BrokenPlaneError(FILE_MISSING)
        return _plane_of(path).read({})

    def stamp(self, position: Position) -> Stamp | None:
        path = self._file(position)
        try:
            return None if path is None else (stamp_of(path),)
        except OSError:
            return None

    def _file(self, position: Position) -> Path | None:
        (index,) = position.values()
        return self.files.get(self.first + index)


def _first_readable(paths: list[Path]) -> Dataset:
    """Describe the first file that is a plane; if none is, raise the error of the first."""
    problems = []
    for path in paths:
        try:
            return _plane_of(path)
        except InputError as error:
            problems.append(error)
    raise problems[0]


def _plane_of(path: Path) -> Dataset:
    """Describe a file of one plane."""
    data = describe_tiff(path, Opening())
    if math.prod(data.shape[:-2]) != 1 or set(data.axes[-2:]) != {"Y", "X"}:
        size = " x ".join(map(str, data.shape))
        problem = f"a file in a folder of planes holds {size} pixels ({data.axes})"
        raise InputError(problem, where=str(path), advice="pass the file itself")
    inner = dict.fromkeys(data.axes[:-2], 0)
    return replace(
        data, axes=data.axes[-2:], shape=data.shape[-2:], read=lambda _: data.read(inner)
    )
