"""Formats of files and folders that a stack may come in.

A format is a module, or a folder of modules, with what `Format` lists. To add one, write it and
name it in `FORMATS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from cop_core.errors import InputError
from cop_core.stacks.formats import (
    hdf5,
    imaris,
    leica,
    micromanager,
    nikon,
    olympus,
    prairie,
    thorimage,
    tiff,
    tiff_folder,
    zarr,
    zeiss,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.stacks.dataset import Dataset, Opening


class Format(Protocol):
    """What a module has to have to be a format."""

    KIND: str
    """What it reads, as a message names it."""

    def recognises(self, path: Path) -> bool:
        """Tell cheaply whether a file or folder, which is there, is of this format."""

    def describe(self, path: Path, opening: Opening) -> Dataset:
        """Say what a file or folder holds, and how a plane of it is read; read no pixels.

        Raises
        ------
        InputError
            Where it is damaged, over the budget (`stacks.limits`) or lacks what was asked for.
        """


FORMATS: Final[tuple[Format, ...]] = (
    zarr,
    prairie,
    thorimage,
    olympus,
    leica,
    nikon,
    zeiss,
    imaris,
    hdf5,
    micromanager,
    tiff_folder,
    tiff,
)
"""In the order in which they are asked: the first that recognises a path reads it."""


def files_of_set(path: Path) -> tuple[Path, ...]:
    """Return the files of a vendor's set that a path stands for; nothing where it is of none."""
    found = (known.files_of(path) for known in (prairie, thorimage, olympus, micromanager))
    return next((files for files in found if files), ())


def format_of(path: Path) -> Format:
    """Return the format of a file or folder.

    Raises
    ------
    InputError
        Where there is none, or it is of no known format.
    """
    _require_there(path)
    for known in FORMATS:
        if known.recognises(path):
            return known
    inside = _recognised_in(path) if path.is_dir() else None
    if inside is not None:
        raise InputError(
            "it is a folder of files that are stacks by themselves",
            where=str(path),
            advice=f"open one of them, for example {inside.name!r}",
        )
    raise InputError(
        "it is of no known format",
        where=str(path),
        advice=f"known are {', '.join(known.KIND for known in FORMATS)}",
    )


def _recognised_in(folder: Path) -> Path | None:
    """Return the first file in a folder that is of a known format."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    return next((p for p in files if any(known.recognises(p) for known in FORMATS)), None)


def _require_there(path: Path) -> None:
    try:
        if path.is_file() or path.is_dir():
            return
        problem = "not a regular file" if path.exists() else "no such file or folder"
    except OSError as error:  # the name is too long, or a folder may not be entered
        problem = f"it cannot be opened ({error.strerror})"
    raise InputError(problem, where=str(path), advice="check the path")
