"""The chain of image file directories of a TIFF, followed without the library.

tifffile logs a broken chain and goes on with the pages before the break, so a cut file would
pass for a shorter one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.limits import MAX_PLANES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_DESCRIPTION: Final = 270
_CLASSIC: Final = 42
_BIG: Final = 43
_TYPE_BYTES: Final = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8])


@dataclass(frozen=True)
class Chain:
    """What the chain of directories says about a file.

    Attributes
    ----------
    spans : tuple of (int, int)
        Start and stop of the header and of every directory found, in bytes.
    values : tuple of (int, int)
        Start and stop of what tags say outside their directory: pieces that do not touch.
    complete : bool
        True where the chain ends by saying so, False where it leaves the file.
    second_offset : int
        Where the first directory says that the second starts; 0 for none.
    description_lost : bool
        True where the first page's description lies behind the end of the file.
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
        """Directories found."""
        return len(self.spans) - 1


@dataclass(frozen=True)
class _Format:
    """Byte order and field widths of a classic TIFF or a BigTIFF."""

    order: str
    big: bool

    def offset(self, raw: bytes) -> int:
        return int(struct.unpack(self.order + ("Q" if self.big else "I"), raw)[0])

    def count(self, raw: bytes) -> int:
        return int(struct.unpack(self.order + ("Q" if self.big else "H"), raw)[0])

    @property
    def offset_size(self) -> int:
        return 8 if self.big else 4

    @property
    def count_size(self) -> int:
        return 8 if self.big else 2

    @property
    def entry_size(self) -> int:
        return 20 if self.big else 12

    def entries(self, raw: bytes) -> npt.NDArray[Any]:
        """Return entries of directories with the fields tag, type, count and value."""
        wide = self.order + ("u8" if self.big else "u4")
        short = self.order + "u2"
        fields = [("tag", short), ("type", short), ("count", wide), ("value", wide)]
        return np.frombuffer(raw, fields)


def read_chain(path: Path) -> Chain:
    """Follow a TIFF's directories.

    Raises
    ------
    InputError
        Where the file is no TIFF, ends before its first directory, or runs in a circle.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        form, first = _read_header(file, path)
        found: dict[int, int] = {}
        tables: list[bytes] = []
        lost, offset, second = False, first, 0
        while offset and len(found) <= MAX_PLANES:
            if offset in found:
                raise InputError("the TIFF pages run in a circle", where=str(path))
            table = _directory(file, form, offset, size)
            if table is None:
                break
            lost = lost or (not found and _description_lost(form, form.entries(table), size))
            tables.append(table)
            following = form.offset(file.read(form.offset_size))
            second = second if found else following
            found[offset] = file.tell()
            offset = following
    if not found:
        raise InputError(
            "the file is truncated: it ends before its first page, 0 planes can be read",
            where=str(path),
            advice="copy the file again",
        )
    directories = (0, 2 * form.offset_size), *found.items()
    values = _joined(_outside(form, form.entries(b"".join(tables)), size))
    return Chain(directories, values, not offset, second, lost, size)


def _read_header(file: BinaryIO, path: Path) -> tuple[_Format, int]:
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    version = struct.unpack(order + "H", head[2:4])[0] if order and len(head) >= 8 else None
    if order is None or version not in (_CLASSIC, _BIG):
        raise InputError(
            "the file is not a TIFF" if head else "the file is empty",
            where=str(path),
            advice="open a TIFF file or the folder of a zarr store",
        )
    form = _Format(order, version == _BIG)
    return form, form.offset(head[8:16].ljust(8, b"\0") if form.big else head[4:8])


def _directory(file: BinaryIO, form: _Format, offset: int, size: int) -> bytes | None:
    """Read the entries of a directory, leaving the file at its link; None where it is cut."""
    if offset + form.count_size > size:
        return None
    file.seek(offset)
    nbytes = form.count(file.read(form.count_size)) * form.entry_size
    if offset + form.count_size + nbytes + form.offset_size > size:
        return None
    return file.read(nbytes)


def _description_lost(form: _Format, entries: npt.NDArray[Any], size: int) -> bool:
    said = entries[entries["tag"] == _DESCRIPTION]
    return any(
        count > form.offset_size and start + count > size
        for count, start in zip(said["count"].tolist(), said["value"].tolist(), strict=True)
    )


def _outside(form: _Format, entries: npt.NDArray[Any], size: int) -> list[tuple[int, int]]:
    """Return start and stop of the values that lie outside their directory, within the file."""
    kinds = np.minimum(entries["type"], len(_TYPE_BYTES) - 1)
    # a float holds any product; which values lie behind the end needs no last digit
    nbytes = entries["count"].astype(np.float64) * _TYPE_BYTES[kinds]
    stops = entries["value"] + nbytes
    there = (nbytes > form.offset_size) & (stops <= size)
    starts = entries["value"][there].tolist()
    return list(zip(starts, stops[there].astype(int).tolist(), strict=True))


def _joined(pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return pieces as few that do not touch: tags may share a value."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return tuple(joined)
