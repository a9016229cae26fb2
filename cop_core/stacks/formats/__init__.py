"""Formats of files and folders for stacks.

A format is a module, or a folder of modules, with the members of `Format`. To add one, write it and
name it in `FORMATS`.
"""

from __future__ import annotations

import mimetypes
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from cop_core.errors import InputError, MissingOptionError
from cop_core.stacks.dataset import Opening
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

    from cop_core.stacks.dataset import Dataset


class Format(Protocol):
    """Members that a module needs to be a format."""

    KIND: str
    """Its name in messages."""

    def recognises(self, path: Path) -> bool:
        """Return, from a quick check, whether an existing file or folder is of this format."""

    def describe(self, path: Path, opening: Opening) -> Dataset:
        """Describe a file or folder, and how its planes are read, without reading pixels.

        Raises
        ------
        InputError
            If it is damaged, exceeds a limit (`stacks.limits`) or lacks what is requested.
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
"""In the order in which they are tried: the first that recognises a path reads it."""


def files_of_set(path: Path) -> tuple[Path, ...]:
    """Return the files of the vendor's set to which a path belongs; empty if it belongs to none."""
    found = (known.files_of(path) for known in (prairie, thorimage, olympus, micromanager, tiff))
    return next((files for files in found if files), ())


def format_of(path: Path) -> Format:
    """Return the format of a file or folder.

    Raises
    ------
    InputError
        If it does not exist, or its format is not recognised.
    """
    _require_there(path)
    for known in FORMATS:
        if known.recognises(path):
            return known
    raise _unknown_folder(path) if path.is_dir() else _unknown_file(path)


_NO_FORMAT: Final = "its format is not recognised"
_AS_WRITTEN: Final = "open the file or folder that your microscope software saved"
_OTHER_FILES: Final = {
    "image": "it is a single image, not a z-stack",
    "text": "it is a text file, not a z-stack",
    "video": "it is a video, not a z-stack",
    "application/json": "it is a JSON file, not a z-stack; cop replay repeats a report",
    "application/xml": "it is an XML file, not a z-stack",
    "text/xml": "it is an XML file, not a z-stack",
}
"""Descriptions of files mistaken for stacks, by MIME type or its first part."""
_MOST_KINDS: Final = 3
"""Maximum number of kinds of files named for a folder."""


def _unknown_file(path: Path) -> InputError:
    mime = mimetypes.guess_type(path.name)[0] or ""
    names = (mime, mime.partition("/")[0])
    return _unknown(path, next((_OTHER_FILES[n] for n in names if n in _OTHER_FILES), _NO_FORMAT))


def _unknown_folder(folder: Path) -> InputError:
    """Return the error for a folder that is not a stack, with its content."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    known = [path for path in inside if (path.is_file() or path.is_dir()) and _is_known(path)]
    if files := [path for path in known if path.is_file()]:
        return tiff_folder.of_whole_stacks(folder, files)
    if known:
        example = next(filter(_opens, known), known[0])
        advice = f"open the one that holds the stack, for example {example.name!r}"
        return InputError("it is a folder of folders", where=str(folder), advice=advice)
    if inside:
        return _unknown(folder, f"none of its contents is a stack ({_kinds(inside)})")
    return InputError("the folder is empty", where=str(folder), advice=_AS_WRITTEN)


def _unknown(path: Path, what: str) -> InputError:
    known = ", ".join(known.KIND for known in FORMATS)
    return InputError(what, where=str(path), advice=f"{_AS_WRITTEN}. Supported: {known}")


def _kinds(paths: list[Path]) -> str:
    """Return the number of files of each kind, in descending order."""
    kinds = Counter(
        "folders" if path.is_dir() else path.suffix.lower() or "other" for path in paths
    )
    return ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(_MOST_KINDS))


def _opens(path: Path) -> bool:
    """Return whether a file or folder is a stack, possibly with a further option."""
    try:
        format_of(path).describe(path, Opening())
    except MissingOptionError:
        return True
    except InputError:
        return False
    return True


def _is_known(path: Path) -> bool:
    return any(known.recognises(path) for known in FORMATS)


def _require_there(path: Path) -> None:
    try:
        if path.is_file() or path.is_dir():
            return
        problem = "not a regular file" if path.exists() else "no such file or folder"
    except OSError as error:  # the name is too long, or access to a folder is denied
        problem = f"it cannot be opened ({error.strerror})"
    raise InputError(problem, where=str(path), advice="check the path")
