"""The files of a stack, and their state."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import tifffile

from cop_core.errors import InputError
from cop_core.recipes.values import is_address
from cop_core.records import FileState
from cop_core.stacks.formats import files_of_set
from cop_core.stacks.formats.tiff.ome import parse_ome
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.formats.zarr.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterator


def source_files(source: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the files of a source of `open_stack`, sorted by the bytes of their names.

    All files below a folder (including linked files, but not linked folders); a file itself, with
    others named in its OME-XML; those of a vendor's set. Empty for an array, an address, or a path
    that does not exist.
    """
    if source == "array" or is_address(source):
        return ()
    path = Path(source)
    with suppress(InputError, OSError):  # an unreadable header names no files
        if of_set := files_of_set(path):
            return tuple(sorted((f for f in of_set if f.is_file()), key=os.fsencode))
    found = set(_below(path)) if path.is_dir() else {path, *_named_in_ome(path)}
    return tuple(sorted((f for f in found if f.is_file()), key=os.fsencode))


def file_state(source: str | os.PathLike[str]) -> FileState | None:
    """Return the state of a source's files, for a quick check for changes.

    None if there is no path, as for an array. For a store at an address only its metadata are
    checked, since its chunks cannot be listed.

    Raises
    ------
    UnreachableError
        An address does not answer.
    """
    if is_address(source):
        return Address(str(source)).state()
    known = []
    for file in source_files(source):
        with suppress(FileNotFoundError):  # a growing stack may replace files
            known.append(file.stat())
    if not known:
        return None
    newest = max(state.st_mtime for state in known)
    return FileState(
        n_files=len(known),
        n_bytes=sum(state.st_size for state in known),
        modified=datetime.fromtimestamp(newest, UTC).isoformat(),
    )


def _below(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def _named_in_ome(path: Path) -> Iterator[Path]:
    """Yield the files of the set of an OME-TIFF."""
    try:
        with quiet_tifffile(), tifffile.TiffFile(path) as tif:
            root = parse_ome(xml, str(path)) if (xml := tif.ome_metadata) else None
    except Exception:  # damaged and foreign files fail in many ways; they name no files
        return
    if root is not None:
        names = {element.get("FileName") for element in root.iter()}
        yield from (path.parent / name for name in names if name)
