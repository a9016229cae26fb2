"""NDTiff: frames with any axes in TIFF files, located by an index beside them.

References
----------
Micro-Manager, NDStorage: specification of NDTiff.
https://github.com/micro-manager/NDStorage
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tifffile

from cop_core.errors import InputError
from cop_core.stacks.dataset import BrokenPlaneError
from cop_core.stacks.formats.micromanager.frames import Acquisition, PixelFormat
from cop_core.stacks.formats.micromanager.summary import read_settings
from cop_core.stacks.formats.tiff.planes import ContiguousPlanes, quiet_tifffile
from cop_core.stacks.limits import MAX_XML_BYTES, require_plane_count
from cop_core.stacks.validity import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

_INDEX: Final = "NDTiff.index"
_FULL: Final = "Full resolution"
_RGB: Final = 2
_BITS: Final = {0: 8, 1: 16, _RGB: 8, 3: 10, 4: 12, 5: 14, 6: 11}


def recognises(path: Path) -> bool:
    """Return whether a folder has the index, or a file is beside it."""
    if path.is_dir():
        return any((path / name / _INDEX).is_file() for name in ("", _FULL))
    in_set = path.suffix.lower() == ".tif" and "NDTiffStack" in path.name
    return path.is_file() and (in_set or path.name == _INDEX) and path.with_name(_INDEX).is_file()


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files of a set."""
    folder = _folder(path)
    return folder / _INDEX, *folder.glob("*NDTiffStack*.tif")


def _folder(path: Path) -> Path:
    if not path.is_dir():
        return path.parent
    return path if (path / _INDEX).is_file() else path / _FULL


def read_acquisition(path: Path) -> Acquisition:
    """Read the index.

    Raises
    ------
    InputError
        If it has no frame, exceeds a limit, or names a file outside its folder.
    """
    folder = _folder(path.absolute())
    frames: list[NdtiffFrame] = []
    with quiet_tifffile():
        for entry in tifffile.read_ndtiff_index(folder / _INDEX):
            frames.append(_frame(folder, entry))
            require_plane_count(len(frames), str(path))
    if not frames:
        raise InputError("its index lists no frames", where=str(path), advice="copy the set again")
    name = folder.parent.name if folder.name == _FULL else folder.name
    return Acquisition(name, _summary(frames[0].path), frames)


def _frame(folder: Path, entry: tuple[Any, ...]) -> NdtiffFrame:
    axes, name, offset, width, height, kind, compression, at, n_bytes, _ = entry
    if (folder / name).parent != folder or name in ("", ".", ".."):
        raise InputError(
            f"the index names a file outside its folder: {name!r}",
            where=str(folder / _INDEX),
            advice="put all files of the set into one folder",
        )
    if compression or kind not in _BITS or min(width, height) < 1:
        raise InputError(
            f"frame {axes} has an unknown type or compression", where=str(folder / _INDEX)
        )
    return NdtiffFrame(axes, folder / name, offset, (height, width), kind, (at, n_bytes))


def _summary(path: Path) -> Mapping[str, Any]:
    try:
        found = read_settings(path, "Summary").get("Summary")
    except (OSError, ValueError):  # its content is helpful but not needed
        found = None
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class NdtiffFrame:
    """A frame, by the offsets of pixels and metadata in bytes; see `AcquiredFrame`."""

    axes: Mapping[str, int | str]
    path: Path
    offset: int
    shape: tuple[int, int]
    kind: int
    note: tuple[int, int]

    def pixel_format(self) -> PixelFormat:
        samples = (3,) if self.kind == _RGB else ()
        return PixelFormat((*self.shape, *samples), self._dtype(), _BITS[self.kind])

    def _dtype(self) -> np.dtype[Any]:
        return np.dtype("<u1" if _BITS[self.kind] == 8 else "<u2")

    def pixels(self) -> npt.NDArray[Any]:
        size = self.path.stat().st_size
        planes = ContiguousPlanes(self.path, self.offset, self._dtype(), self.shape, size)
        if not planes.readable(0):
            raise BrokenPlaneError(TRUNCATED)
        return planes.read(0)

    def metadata(self) -> Mapping[str, Any]:
        offset, n_bytes = self.note
        if not 0 < n_bytes <= MAX_XML_BYTES:
            return {}
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                found = json.loads(file.read(n_bytes))
        except (OSError, ValueError, RecursionError):  # truncated, as its pixels may be
            return {}
        return found if isinstance(found, dict) else {}
