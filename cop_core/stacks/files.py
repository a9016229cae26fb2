"""The files that a stack's pixels come from."""

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
    """Return the files of what `open_stack` takes, in the order of their names' bytes.

    All files below a folder (linked files too, linked folders not); the file itself, with the
    other files that its OME-XML names; those of a vendor's set; nothing for an array, for an
    address, or where there is no such path.
    """
    if source == "array" or is_address(source):
        return ()
    path = Path(source)
    with suppress(InputError, OSError):  # a header that cannot be read names no files
        if of_set := files_of_set(path):
            return tuple(sorted((f for f in of_set if f.is_file()), key=os.fsencode))
    found = set(_below(path)) if path.is_dir() else {path, *_named_in_ome(path)}
    return tuple(sorted((f for f in found if f.is_file()), key=os.fsencode))


def file_state(source: str | os.PathLike[str]) -> FileState | None:
    """Return what tells cheaply whether the files of a source are still the same.

    None where there is no such path, as for an array. Of a store at an address its metadata
    stand for all, as nothing lists its chunks.

    Raises
    ------
    UnreachableError
        An address gives no answer.
    """
    if is_address(source):
        return Address(str(source)).state()
    known = []
    for file in source_files(source):
        with suppress(FileNotFoundError):  # a stack that grows may put files in place of others
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
    """Yield the files of a set that an OME-TIFF belongs to."""
    try:
        with quiet_tifffile(), tifffile.TiffFile(path) as tif:
            root = parse_ome(xml, str(path)) if (xml := tif.ome_metadata) else None
    except Exception:  # the errors of damaged and foreign files are many; none names a file
        return
    if root is not None:
        names = {element.get("FileName") for element in root.iter()}
        yield from (path.parent / name for name in names if name)
