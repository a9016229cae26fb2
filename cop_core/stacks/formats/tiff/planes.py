"""Reading of single planes of a TIFF."""

from __future__ import annotations

import logging
import math
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from cop_core.stacks.dataset import BrokenPlaneError
from cop_core.stacks.formats.array import SlabReader
from cop_core.stacks.validity import CHUNK_ABSENT, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cop_core.stacks.dataset import Position


@contextmanager
def quiet_tifffile() -> Iterator[None]:
    """Silence tifffile's log: the faults that it reports are found and raised here.

    It also divides by zeros in unused metadata.
    """
    logger = logging.getLogger("tifffile")

    def drop(_: logging.LogRecord) -> bool:
        return False

    logger.addFilter(drop)
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            yield
    finally:
        logger.removeFilter(drop)


class Planes(Protocol):
    """The 2-D pieces of a TIFF, by their position in the file's order."""

    def readable(self, index: int) -> bool:
        """Return whether all bytes of a plane are within the file."""

    def read(self, index: int) -> npt.NDArray[Any]:
        """Read one plane, opening the file for it alone."""


@dataclass(frozen=True)
class ContiguousPlanes:
    """Consecutive uncompressed planes, as written by ImageJ and tifffile.

    The offset of the first plane and the size of the file are in bytes; the type has the file's
    byte order.
    """

    path: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    file_size: int

    @property
    def nbytes(self) -> int:
        """Size of one plane."""
        return math.prod(self.shape) * self.dtype.itemsize

    def readable(self, index: int) -> bool:
        return self.offset + (index + 1) * self.nbytes <= self.file_size

    def read(self, index: int) -> npt.NDArray[Any]:
        with self.path.open("rb") as file:
            file.seek(self.offset + index * self.nbytes)
            found = np.fromfile(file, self.dtype, math.prod(self.shape))
        return found.reshape(self.shape)


class PagedPlanes:
    """One plane per page, in any encoding; pages of tifffile, with None for missing ones."""

    def __init__(self, pages: Sequence[Any]) -> None:
        self._pages = pages
        self._lock = Lock()

    def readable(self, index: int) -> bool:
        page = self._pages[index] if index < len(self._pages) else None
        if page is None or not page.dataoffsets:
            return False
        size = page.parent.filehandle.size
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))
        return all(end <= size for end in ends)

    def read(self, index: int) -> npt.NDArray[Any]:
        page = self._pages[index]
        needed = math.prod(page.chunked)
        pieces = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        if len(pieces) < needed:
            raise BrokenPlaneError(
                f"damaged: it is cut into {needed} pieces, but not all are listed"
            )
        # the library fills a piece without an offset with zeros
        absent = sum(not (offset and n_bytes) for offset, n_bytes in pieces)
        if absent:
            some = f"chunk missing ({absent} of {len(pieces)})"
            raise BrokenPlaneError(CHUNK_ABSENT if absent == len(pieces) else some)
        handle = page.parent.filehandle
        with self._lock, quiet_tifffile():
            handle.open()
            try:
                return np.asarray(page.asarray(maxworkers=1))
            finally:
                handle.close()


@dataclass(frozen=True)
class JoinedPlanes:
    """Planes of several files, one file after the other, with the number in each."""

    parts: tuple[tuple[Planes, int], ...]

    def readable(self, index: int) -> bool:
        planes, own = self._at(index)
        return planes.readable(own)

    def read(self, index: int) -> npt.NDArray[Any]:
        planes, own = self._at(index)
        return planes.read(own)

    def _at(self, index: int) -> tuple[Planes, int]:
        for planes, n in self.parts[:-1]:
            if index < n:
                return planes, index
            index -= n
        return self.parts[-1][0], index


@dataclass(frozen=True)
class PlaneByPosition:
    """Reads a plane by its index along the leading axes; a page has Y and X, in either order."""

    planes: Planes
    axes: str
    shape: tuple[int, ...]

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width); raise BrokenPlaneError if it is truncated."""
        index = [position[axis] for axis in self.axes[:-2]]
        flat = int(np.ravel_multi_index(index, self.shape[:-2])) if index else 0
        if not self.planes.readable(flat):
            raise BrokenPlaneError(TRUNCATED)
        plane = self.planes.read(flat).reshape(self.shape[-2:])
        return plane if self.axes.endswith("YX") else plane.T


@dataclass(frozen=True)
class MappedPlanes:
    """Planes across the pages of an uncompressed file (axes such as YXZ), memory-mapped."""

    whole: ContiguousPlanes
    axes: str
    shape: tuple[int, ...]

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width)."""
        whole = self.whole
        mapped = np.memmap(whole.path, whole.dtype, "r", whole.offset, self.shape)
        return np.array(SlabReader(mapped, self.axes)(position))
