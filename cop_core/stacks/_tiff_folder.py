"""A folder of TIFFs of one plane each, numbered in their names, as a dataset."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks._axes import require_axes
from cop_core.stacks._dataset import BrokenPlaneError, Dataset, Stamp, stamp_of
from cop_core.stacks._limits import require_plane_count
from cop_core.stacks._tiff import open_tiff

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

_SUFFIXES: Final = (".tif", ".tiff")
FILE_MISSING: Final = "file missing"
_ADVICE: Final = "number the files of one channel 0000, 0001 ... in a folder of their own"


def tiffs_in(folder: Path) -> list[Path]:
    """Give the TIFFs in a folder; names that begin with a dot are not looked at."""
    return [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    ]


def is_folder_of_tiffs(folder: Path) -> bool:
    """Tell whether a folder holds TIFFs and no zarr metadata."""
    zarr = any((folder / name).exists() for name in ("zarr.json", ".zarray", ".zgroup", ".zattrs"))
    return not zarr and bool(tiffs_in(folder))


def numbered(paths: list[Path], where: str) -> dict[int, Path]:
    """Give the files of planes by the number in their names.

    Parameters
    ----------
    paths : list of Path
        One file a plane. Their names are alike but for numbers, one of which counts planes.
    where : str
        What an error points at.

    Raises
    ------
    InputError
        Where the names differ in more than numbers, or no number is another in each of them.
    """
    parts = [re.split(r"(\d+)", path.name) for path in paths]
    texts = {tuple(found[::2]) for found in parts}
    if len(texts) > 1:
        first, second = sorted("#".join(text) for text in texts)[:2]
        problem = f"the names of its TIFFs are not alike: {first!r}, {second!r}"
        raise InputError(problem, where=where, advice=_ADVICE)
    columns = list(zip(*([int(n) for n in found[1::2]] for found in parts), strict=True))
    counting = [column for column in columns if len(set(column)) == len(paths)]
    if not counting:
        raise InputError(
            "no number in the names of its TIFFs tells all of them apart",
            where=where,
            advice=_ADVICE,
        )
    # a time of day may differ as well; what counts planes leaves the fewest gaps
    numbers = min(counting, key=lambda column: (max(column) - min(column), min(column)))
    return dict(zip(numbers, paths, strict=True))


@dataclass(frozen=True)
class NumberedPlanes:
    """Reads a plane from its file.

    Attributes
    ----------
    files : dict of int to Path
        By number.
    first : int
        Number of the first plane.
    """

    files: dict[int, Path]
    first: int

    def __call__(self, position: Mapping[str, int]) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width); raise BrokenPlaneError where it has no file."""
        path = self._file(position)
        if path is None:
            raise BrokenPlaneError(FILE_MISSING)
        return _plane_of(path).read({})

    def stamp(self, position: Mapping[str, int]) -> Stamp | None:
        """Return what tells one writing of a plane's file from another; None without one."""
        path = self._file(position)
        try:
            return None if path is None else (stamp_of(path),)
        except OSError:
            return None

    def _file(self, position: Mapping[str, int]) -> Path | None:
        (index,) = position.values()
        return self.files.get(self.first + index)


def open_folder(folder: Path, axes: str | None, first: int | None = None) -> Dataset:
    """Describe a folder of TIFFs as one stack.

    Parameters
    ----------
    folder : Path
        Its files are planes; a number that no file has is a plane that is missing.
    axes : str or None
        A plane axis and Y, X, in place of ``QYX``.
    first : int, optional
        Number of the first plane, of a folder that is still being filled; else the smallest.

    Raises
    ------
    InputError
        Where the names do not say the order, or no file is a plane.
    """
    where = str(folder)
    files = numbered(tiffs_in(folder), where)
    low, high = min(files), max(files)
    if first is None and high - low + 1 > 2 * len(files):
        problem = f"{len(files)} TIFFs are numbered {low} to {high}"
        raise InputError(problem, where=where, advice=_ADVICE)
    start = low if first is None else first
    n_planes = high - start + 1
    require_plane_count(n_planes, where)
    plane = _first_readable([files[number] for number in sorted(files)])
    return replace(
        plane,
        source=where,
        name=folder.resolve().name,
        kind="tiff-folder",
        axes=require_axes(axes, 3, where) if axes else f"Q{plane.axes}",
        shape=(n_planes, *plane.shape),
        read=NumberedPlanes(files, start),
        declared=False,
    )


def _first_readable(paths: list[Path]) -> Dataset:
    """Describe the first file that is a plane; where none is, say why the first is not."""
    problems = []
    for path in paths:
        try:
            return _plane_of(path)
        except InputError as error:
            problems.append(error)
    raise problems[0]


def _plane_of(path: Path) -> Dataset:
    """Describe a file of one plane."""
    data = open_tiff(path, None, 0, allow_partial=False)
    if math.prod(data.shape[:-2]) != 1 or set(data.axes[-2:]) != {"Y", "X"}:
        size = " x ".join(map(str, data.shape))
        problem = f"a file in a folder of planes holds {size} pixels ({data.axes})"
        raise InputError(problem, where=str(path), advice="pass the file itself")
    inner = dict.fromkeys(data.axes[:-2], 0)
    return replace(
        data, axes=data.axes[-2:], shape=data.shape[-2:], read=lambda _: data.read(inner)
    )
