"""Olympus FluoView .oif with its folder of files, and .oib, read by oiffile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.dataset import BrokenPlaneError, Dataset, Scale
from cop_core.stacks.formats.library import (
    FileImage,
    ceilings,
    describe_image,
    laser_power,
    refuse_levels,
    require_library,
)
from cop_core.stacks.formats.tiff_folder import FILE_MISSING
from cop_core.stacks.safe_xml import require_xml_size
from cop_core.stacks.units import number, step_um

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening, StatedPower

Place: TypeAlias = frozenset[tuple[str, int]]
"""Position of a frame: index along each axis, from 0, without zeros."""

KIND = "Olympus .oif and .oib"

_FOLDER: Final = ".files"
_FRAME: Final = re.compile(r"_((?:[A-Z]\d+)+)\.tif", re.IGNORECASE)
_BRIGHTER_BELOW: Final = (
    "brightness was corrected along depth, so the laser power is not taken from the file",
)


def recognises(path: Path) -> bool:
    """Return whether a path has the suffix of a FluoView file, or is the folder of one."""
    if path.is_dir():
        return _main_file(path) is not None
    return path.suffix.lower() in (".oif", ".oib", ".oir") and path.is_file()


def _main_file(folder: Path) -> Path | None:
    """Return the one .oif in a folder, or whose frames are in the folder."""
    if has_frames_of_another(folder):
        return _beside(folder)
    inside = [p for p in folder.iterdir() if p.suffix.lower() == ".oif" and p.is_file()]
    return inside[0] if len(inside) == 1 else None


def files_of(path: Path) -> tuple[Path, ...]:
    """Return a file and those of its folder; empty for another file or folder."""
    if not recognises(path):
        return ()
    main = (_main_file(path) if path.is_dir() else None) or path
    folder = Path(f"{main}{_FOLDER}")
    return main, *(folder.iterdir() if folder.is_dir() else ())


def has_frames_of_another(folder: Path) -> bool:
    """Return whether a folder has the frames of an .oif beside it."""
    return _beside(folder).suffix.lower() == ".oif" and _beside(folder).is_file()


def _beside(folder: Path) -> Path:
    return Path(str(folder.absolute()).removesuffix(_FOLDER))


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe a file.

    Raises
    ------
    InputError
        If the library is missing, the file is of the newer kind .oir, or as for `require_position`
        and `describe_image`.
    """
    main = (_main_file(path) if path.is_dir() else None) or path
    if main.suffix.lower() == ".oir":
        raise InputError(".oir files cannot be read", where=str(path), advice="save it as OME-TIFF")
    oiffile = require_library("oiffile", main)
    if main.suffix.lower() == ".oif":
        _require_folder(main)
    refuse_levels(opening.level, str(path))
    with oiffile.OifFile(main) as file:
        image = _image(file, _Frames(main, oiffile.OifFile, _frames(file)))
    return describe_image(main, main.suffix.lower()[1:], image, opening)


def _require_folder(main: Path) -> None:
    require_xml_size(main.stat().st_size, "settings file", str(main))
    folder = Path(f"{main}{_FOLDER}")
    if not folder.is_dir():
        raise InputError(
            f"its folder {folder.name!r} is missing",
            where=str(main),
            advice="put it beside the file",
        )


def _frames(file: Any) -> dict[Place, str]:
    """Return the names of the frames' files by position."""
    found = {}
    for name in file.glob("*"):
        if match := _FRAME.search(Path(name).name):
            parts = re.findall(r"([A-Z])(\d+)", match[1].upper())
            found[_place((axis, int(n) - 1) for axis, n in parts)] = name
    return found


def _place(index: Iterable[tuple[str, int]]) -> Place:
    """Return an index without zeros: names may omit an axis of length 1."""
    return frozenset((axis, n) for axis, n in index if n)


class _Frames:
    """Reads frames, each from its TIFF, in a file or folder opened for each."""

    def __init__(self, path: Path, open_file: Any, names: Mapping[Place, str]) -> None:
        self._path, self._open, self._names = path, open_file, names

    def __call__(self, index: Mapping[str, int]) -> npt.NDArray[Any]:
        name = self._names.get(_place(index.items()))
        if name is None:
            raise BrokenPlaneError(FILE_MISSING)
        with self._open(self._path) as file:
            return np.asarray(file.asarray(name))


def _image(file: Any, read: _Frames) -> FileImage:
    settings = file.mainfile
    order = str(settings["Axis Parameter Common"]["AxisOrder"])
    axes = _axes(settings)
    # the first two are the axes of the scan
    shown = [axis for axis in order if axis not in "XY" or axis in order[:2]]
    power, remarks = _power(settings)
    parameters = settings["Reference Image Parameter"]
    n_channels = int(axes["C"]["MaxSize"]) if "C" in order else 1
    bits = int(number(parameters.get("ValidBitCounts")) or 0)
    return FileImage(
        sizes={axis: int(axes[axis]["MaxSize"]) for axis in reversed(shown)},
        dtype=file.dtype,
        read=read,
        scale=_scale(axes, parameters, "Z" in order),
        channels=tuple(_channel_name(settings, i + 1) for i in range(n_channels)),
        power=power,
        detectors=ceilings([bits] * n_channels, "ValidBitCounts"),
        remarks=remarks,
    )


def _axes(settings: Any) -> dict[str, Any]:
    found = (settings.get(f"Axis {i} Parameters Common") for i in range(9))
    return {str(axis["AxisCode"]): axis for axis in found if axis}


def _scale(axes: Mapping[str, Any], parameters: Any, has_z: bool) -> Scale:
    y, x = (
        step_um(parameters.get(f"{side}ConvertValue"), parameters.get(f"{side}Unit"))
        for side in ("Height", "Width")
    )
    step = step_um(axes["Z"].get("Interval"), axes["Z"].get("PixUnit")) if has_z else None
    return Scale(z_step_um=step, pixel_size_um=(y, x) if y and x else None)


def _channel_name(settings: Any, channel: int) -> str:
    found = settings.get(f"Channel {channel} Parameters", {})
    return str(found.get("CH Name", ""))


def _power(settings: Any) -> tuple[StatedPower | None, tuple[str, ...]]:
    if (settings.get("Corr Bright") or {}).get("Corr Bright OnOff"):
        return None, _BRIGHTER_BELOW
    found = settings.get("Acquisition Parameters Common") or {}
    lasers = [
        (f"{found.get(f'LaserWavelength{i:02d}')} nm", number(percent) or 0.0)
        for i in range(1, 21)
        if (percent := found.get(f"LaserTransmissivity{i:02d}")) is not None
    ]
    return laser_power(lasers, "LaserTransmissivity")
