"""The chain of image file directories of a TIFF, followed without the library.

tifffile logs a broken chain and continues with the pages before the break: a truncated file would
pass for a shorter one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from tifffile import TIFF

from cop_core.errors import InputError
from cop_core.stacks.limits import MAX_PLANES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

# of a tifffile.TiffFormat, by the first bytes of a file
_FORMATS: Final[dict[bytes, Any]] = {
    b"II*\0": TIFF.CLASSIC_LE,
    b"MM\0*": TIFF.CLASSIC_BE,
    b"II+\0": TIFF.BIG_LE,
    b"MM\0+": TIFF.BIG_BE,
}
_DESCRIPTION: Final = 270
_TYPE_BYTES: Final = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8])


@dataclass(frozen=True)
class Chain:
    """Findings from the chain of directories of a file.

    Attributes
    ----------
    spans : tuple of (int, int)
        Start and stop of the header and of every directory found, in bytes.
    values : tuple of (int, int)
        Start and stop of tag values outside their directory: disjoint pieces.
    complete : bool
        True if the chain has a proper end, False if it leads out of the file.
    second_offset : int
        Offset of the second directory as stated in the first; 0 for none.
    description_lost : bool
        True if the description of the first page is beyond the end of the file.
    file_size : int
        In bytes.
    """

    spans: tuple[tuple[int, int], ...]
    values: tuple[tuple[int, int], ...]
    complete: bool
    second_offset: int
    description_lost: bool
    file_size: int

    @property
    def n_pages(self) -> int:
        """Number of directories found."""
        return len(self.spans) - 1


def begins_as_tiff(path: Path) -> bool:
    """Return whether a file begins as a TIFF."""
    with path.open("rb") as file:
        return file.read(4) in _FORMATS


def read_chain(path: Path) -> Chain:
    """Follow a TIFF's directories.

    Raises
    ------
    InputError
        If the file is not a TIFF, ends before its first directory, or its chain is circular.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        form, offset = _read_header(file, path)
        found: dict[int, int] = {}
        tables: list[bytes] = []
        lost, second = False, 0
        while offset and len(found) <= MAX_PLANES:
            if offset in found:
                raise InputError("the chain of TIFF pages is a loop", where=str(path))
            table = _directory(file, form, offset, size)
            if table is None:
                break
            lost = lost or (not found and _description_lost(form, table, size))
            tables.append(table)
            (following,) = struct.unpack(form.offsetformat, file.read(form.offsetsize))
            second = second if found else following
            found[offset] = file.tell()
            offset = following
    if not found:
        raise InputError(
            "the file is truncated: it ends before its first page, 0 planes can be read",
            where=str(path),
            advice="copy the file again",
        )
    directories = (0, 2 * form.offsetsize), *found.items()
    values = _joined(_outside(form, b"".join(tables), size))
    return Chain(directories, values, not offset, second, lost, size)


def _read_header(file: BinaryIO, path: Path) -> tuple[Any, int]:
    head = file.read(16)
    form = _FORMATS.get(head[:4])
    if form is None or len(head) < 8:
        raise InputError(
            "the file is not a TIFF" if head else "the file is empty",
            where=str(path),
            advice="copy the file again, or open the one that your microscope software saved",
        )
    size = form.offsetsize
    (first,) = struct.unpack(form.offsetformat, head[size : 2 * size].ljust(size, b"\0"))
    return form, first


def _directory(file: BinaryIO, form: Any, offset: int, size: int) -> bytes | None:
    """Read the entries of a directory, leaving the file at its link; None if it is truncated.

    A directory without entries is a place reserved by a writer that continued with pixels.
    """
    if offset + form.tagnosize > size:
        return None
    file.seek(offset)
    (count,) = struct.unpack(form.tagnoformat, file.read(form.tagnosize))
    nbytes = count * form.tagsize
    if not count or offset + form.tagnosize + nbytes + form.offsetsize > size:
        return None
    return file.read(nbytes)


def _entries(form: Any, table: bytes) -> npt.NDArray[Any]:
    """Return the entries of directories, with the fields tag, type, count and value."""
    short, wide = f"{form.byteorder}u2", f"{form.byteorder}u{form.offsetsize}"
    fields = [("tag", short), ("type", short), ("count", wide), ("value", wide)]
    return np.frombuffer(table, fields)


def _description_lost(form: Any, table: bytes, size: int) -> bool:
    entries = _entries(form, table)
    said = entries[entries["tag"] == _DESCRIPTION]
    return any(
        count > form.offsetsize and start + count > size
        for count, start in zip(said["count"].tolist(), said["value"].tolist(), strict=True)
    )


def _outside(form: Any, table: bytes, size: int) -> list[tuple[int, int]]:
    """Return start and stop of the values outside their directory, within the file."""
    entries = _entries(form, table)
    kinds = np.minimum(entries["type"], len(_TYPE_BYTES) - 1)
    # floats do not overflow, and exact digits do not matter for values beyond the end
    nbytes = entries["count"].astype(np.float64) * _TYPE_BYTES[kinds]
    stops = entries["value"] + nbytes
    there = (nbytes > form.offsetsize) & (stops <= size)
    starts = entries["value"][there].tolist()
    return list(zip(starts, stops[there].astype(int).tolist(), strict=True))


def _joined(pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Merge pieces into disjoint ones: tags may share a value."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return tuple(joined)
