"""MMStack: TIFF files, each with a map of its frames, named after prefix and stage position.

References
----------
Micro-Manager File Formats: Image file stack.
https://micro-manager.org/Micro-Manager_File_Formats
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tifffile

from cop_core.errors import InputError, option
from cop_core.stacks.dataset import BrokenPlaneError
from cop_core.stacks.formats.micromanager.frames import Acquisition, PixelFormat
from cop_core.stacks.formats.micromanager.summary import read_settings
from cop_core.stacks.formats.tiff.planes import PagedPlanes, quiet_tifffile
from cop_core.stacks.limits import require_plane_count
from cop_core.stacks.validity import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

_NAMED: Final = "_MMStack"
_MAP_AT: Final = 54_773_648
"""Marker before the offset of the map, at byte 8."""
_MAP: Final = 3_453_623
"""Marker at the start of the map."""
_METADATA_TAG: Final = 51_123
_AXES: Final = ("channel", "z", "time", "position")


def recognises(path: Path) -> bool:
    """Return whether a file has a map of its frames, or a folder has files of one set."""
    if path.is_dir():
        files = _named_in(path)
        return len({_prefix(file) for file in files}) == 1 and _has_map(files[0])
    return path.suffix.lower() in (".tif", ".tiff") and path.is_file() and _has_map(path)


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files of a set, which share a prefix."""
    if path.is_dir():
        return tuple(_named_in(path))
    if _NAMED not in path.name:
        return (path,)
    return tuple(file for file in _named_in(path.parent) if _prefix(file) == _prefix(path))


def _named_in(folder: Path) -> list[Path]:
    found = (p for p in folder.iterdir() if _NAMED in p.name and not p.name.startswith("."))
    return sorted(p for p in found if p.suffix.lower() in (".tif", ".tiff") and p.is_file())


def _prefix(path: Path) -> str:
    return path.name.partition(_NAMED)[0].removesuffix(".tif").removesuffix(".ome")


def _has_map(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 16:
            return False
        found, offset = struct.unpack(f"{order}II", head[8:])
        if found != _MAP_AT:
            return False
        file.seek(offset)
        return file.read(4) == struct.pack(f"{order}I", _MAP)


def read_acquisition(path: Path) -> Acquisition:
    """Read the maps of the files.

    Raises
    ------
    InputError
        If one lacks its map or has no frame.
    """
    frames: list[MmstackFrame] = []
    summary: Mapping[str, Any] = {}
    for file in files_of(path):
        found = _settings(file)
        summary = found.get("Summary") or summary
        frames += _frames(file, found["IndexMap"])
        require_plane_count(len(frames), str(path))
    if not frames:
        raise InputError("it lists no frames", where=str(path), advice="copy the set again")
    return Acquisition(
        _prefix(frames[0].path), summary if isinstance(summary, dict) else {}, frames
    )


def _settings(file: Path) -> dict[str, Any]:
    found = read_settings(file, "Summary", "IndexMap")
    if "IndexMap" not in found:
        raise InputError(
            "the map of its frames is missing: it is truncated, or was not closed",
            where=str(file),
            advice="copy it again, or open it alone, elsewhere, with "
            f"{option('axes', 'ZYX')} and {option('z_step_um')}",
        )
    return found


def _frames(file: Path, index: npt.NDArray[Any]) -> Sequence[MmstackFrame]:
    return [
        MmstackFrame(dict(zip(_AXES, place, strict=True)), file, offset)
        for *place, offset in index.tolist()
    ]


@dataclass(frozen=True, slots=True)
class MmstackFrame:
    """A frame, by the offset of its directory in bytes; see `AcquiredFrame`."""

    axes: Mapping[str, int | str]
    path: Path
    offset: int

    @contextmanager
    def _page(self) -> Iterator[Any]:
        with quiet_tifffile(), tifffile.TiffFile(self.path) as tif:
            tif.filehandle.seek(self.offset)
            yield tifffile.TiffPage(tif, 0)

    def pixel_format(self) -> PixelFormat:
        with self._page() as page:
            return PixelFormat(tuple(page.shape), np.dtype(page.dtype), int(page.bitspersample))

    def pixels(self) -> npt.NDArray[Any]:
        with self._page() as page:
            planes = PagedPlanes([page])
            if not planes.readable(0):
                raise BrokenPlaneError(TRUNCATED)
            return planes.read(0)

    def metadata(self) -> Mapping[str, Any]:
        with self._page() as page:
            found = page.tags.valueof(_METADATA_TAG)
        return found if isinstance(found, dict) else {}
