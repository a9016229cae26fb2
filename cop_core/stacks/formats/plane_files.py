"""Planes in single TIFF files, or in pages of a few, as listed in a header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tifffile

from cop_core.stacks.dataset import BrokenPlaneError, Stamp, stamp_of
from cop_core.stacks.formats.tiff.checks import require_page
from cop_core.stacks.formats.tiff.planes import PagedPlanes, quiet_tifffile
from cop_core.stacks.limits import require_real
from cop_core.stacks.validity import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from cop_core.stacks.dataset import Position

FILE_MISSING: Final = "file missing"


@dataclass(frozen=True)
class PlaneFile:
    """Location of one plane: a file, and the page in it, from 0."""

    path: Path
    page: int = 0


@dataclass(frozen=True)
class PlaneFiles:
    """Reads planes from their files.

    Attributes
    ----------
    axes : str
        Axes along which planes are located.
    files : mapping of tuple of int to PlaneFile
        By index along each of the axes.
    """

    axes: str
    files: Mapping[tuple[int, ...], PlaneFile]

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width); raise BrokenPlaneError if it is missing."""
        at = self._at(position)
        if at is None or not at.path.is_file():
            raise BrokenPlaneError(FILE_MISSING)
        with quiet_tifffile(), tifffile.TiffFile(at.path) as tif:
            page = tif.pages[at.page]
            require_page(page, str(at.path))
            pages = PagedPlanes([page])
            if not pages.readable(0):
                raise BrokenPlaneError(TRUNCATED)
            return pages.read(0)

    def stamp(self, position: Position) -> Stamp | None:
        """Return the state of a plane's file; None if it does not exist."""
        at = self._at(position)
        try:
            return None if at is None else (stamp_of(at.path),)
        except OSError:
            return None

    @property
    def shared_axes(self) -> str:
        """Axes along which planes share files; empty if each has its own."""
        return self.axes if any(at.page for at in self.files.values()) else ""

    def _at(self, position: Position) -> PlaneFile | None:
        return self.files.get(tuple(position.get(axis, 0) for axis in self.axes))


def first_page(paths: Iterable[Path]) -> tuple[tuple[int, int], np.dtype[Any]] | None:
    """Return shape and type of the planes from the first existing file; None without any.

    Raises
    ------
    InputError
        If its pixels are not real numbers, or exceed a limit.
    """
    path = next((path for path in paths if path.is_file() and path.stat().st_size), None)
    if path is None:
        return None
    with quiet_tifffile(), tifffile.TiffFile(path) as tif:
        page = tif.pages.first
        require_page(page, str(path))
        height, width = page.shape[:2]
        return (height, width), require_real(np.dtype(page.dtype), str(path))
