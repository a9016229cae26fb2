"""Formats of files and folders that a stack may come in.

A format is a module, or a folder of modules, with what `Format` lists. To add one, write it and
name it in `FORMATS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from cop_core.errors import InputError
from cop_core.stacks.formats import prairie, thorimage, tiff, tiff_folder, zarr

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


FORMATS: Final[tuple[Format, ...]] = (zarr, prairie, thorimage, tiff_folder, tiff)
"""In the order in which they are asked: the first that recognises a path reads it."""


def files_of_set(path: Path) -> tuple[Path, ...]:
    """Return the files of a vendor's set that a path stands for; nothing where it is of none."""
    found = (known.files_of(path) for known in (prairie, thorimage))
    return next((files for files in found if files), ())


def format_of(path: Path) -> Format:
    """Return the format of a file or folder.

    Raises
    ------
    InputError
        Where there is none, or it is of no known format.
    """
    if not path.exists():
        raise InputError("no such file or folder", where=str(path), advice="check the path")
    if not path.is_file() and not path.is_dir():
        raise InputError("not a regular file", where=str(path), advice="check the path")
    for known in FORMATS:
        if known.recognises(path):
            return known
    raise InputError(
        "it is of no known format",
        where=str(path),
        advice=f"known are {', '.join(known.KIND for known in FORMATS)}",
    )
