"""Leica .lif, read by liffile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks.axes import require_position
from cop_core.stacks.dataset import Dataset, Scale
from cop_core.stacks.formats.library import (
    FileImage,
    ceilings,
    describe_image,
    laser_power,
    refuse_levels,
    require_library,
)
from cop_core.stacks.safe_xml import require_xml_size
from cop_core.stacks.units import number, step_um

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from xml.etree import ElementTree as ET

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening, StatedPower

KIND = "Leica .lif"

_IMAGE: Final = "./Data/Image/ImageDescription"
_DIMENSION: Final = {"X": "1", "Y": "2", "Z": "3", "M": "10"}
"""Number of each axis in the XML; M are the tiles or points of a mosaic."""
_DEPTH_COMPENSATED: Final = (
    "the laser power was compensated along depth, and is not taken from the file",
)


def recognises(path: Path) -> bool:
    """Return whether a file has the suffix .lif."""
    return path.suffix.lower() == ".lif" and path.is_file()


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe one image of a file; each tile or point of a mosaic is one.

    Raises
    ------
    InputError
        If the library is missing, or as for `require_position` and `describe_image`.
    """
    liffile = require_library("liffile", path)
    refuse_levels(opening.level, str(path))
    require_xml_size(_description_size(path), "XML", str(path))
    with liffile.LifFile(path) as file:
        places = [(i, m) for i, found in enumerate(file.images) for m in _points(found)]
        names = [_name(file.images[i], m) for i, m in places]
        if not names:
            raise InputError("it has no images", where=str(path))
        chosen = require_position(opening.position, len(names), str(path), names)
        i, point = places[chosen]
        image = _image(file.images[i], _Frames(path, liffile.LifFile, i, point))
    named = replace(image, name=names[chosen], positions=len(names))
    return describe_image(path, "lif", named, opening)


def _description_size(path: Path) -> int:
    """Return the stated number of characters of XML at the start of the file."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(13)[9:], "little")


def _points(image: Any) -> range:
    found = _dimension(image.xml_element, "M")
    return range(1 if found is None else int(found.get("NumberOfElements", 1)))


def _name(image: Any, point: int) -> str:
    return f"{image.path} {point}" if len(_points(image)) > 1 else str(image.path)


class _Frames:
    """Reads frames of one image and point, from a file opened for each."""

    def __init__(self, path: Path, open_file: Any, image: int, point: int) -> None:
        self._path, self._open, self._image, self._point = path, open_file, image, point

    def __call__(self, index: Mapping[str, int]) -> npt.NDArray[Any]:
        with self._open(self._path) as file:
            image = file.images[self._image]
            point = {"M": self._point} if "M" in image.sizes else {}
            frame: npt.NDArray[Any] = image.frame(
                **{a: i for a, i in index.items() if a in image.sizes}, **point
            )
            return frame


def _image(found: Any, read: _Frames) -> FileImage:
    sizes = {axis: n for axis, n in found.sizes.items() if axis != "M"}
    if not {"Y", "X"} <= set(found.frames.frame_dims):
        sizes.pop("Y", None)  # the lines of a volume scanned along x and z
    power, remarks = _power(found.xml_element)
    channels = found.xml_element.findall(f"{_IMAGE}/Channels/ChannelDescription")
    bits = [int(channel.get("Resolution", 0)) for channel in channels]
    return FileImage(
        sizes=sizes,
        dtype=found.dtype,
        read=read,
        scale=_scale(found.xml_element),
        channels=tuple(_dye(channel) for channel in channels),
        power=power,
        detectors=ceilings(bits, "Resolution") if found.dtype.kind == "u" else (),
        remarks=remarks,
    )


def _dye(channel: ET.Element) -> str:
    """Return the name of a channel: its dye, else its display colour."""
    for entry in channel.iter("ChannelProperty"):
        if entry.findtext("Key") == "DyeName" and entry.findtext("Value"):
            return entry.findtext("Value", "")
    return channel.get("LUTName", "")


def _scale(element: ET.Element) -> Scale:
    z, y, x = (_spacing_um(element, axis) for axis in "ZYX")
    return Scale(z_step_um=z, pixel_size_um=(y, x) if y and x else None)


def _spacing_um(element: ET.Element, axis: str) -> float | None:
    """Return the distance of samples: an axis extends from its first to its last sample."""
    found = _dimension(element, axis)
    steps = 0 if found is None else int(found.get("NumberOfElements", 0)) - 1
    length = None if found is None else number(found.get("Length"))
    if found is None or length is None or steps < 1:
        return None
    return step_um(length / steps, found.get("Unit"))


def _dimension(element: ET.Element, axis: str) -> ET.Element | None:
    found = element.findall(f"{_IMAGE}/Dimensions/DimensionDescription")
    return next((each for each in found if each.get("DimID") == _DIMENSION[axis]), None)


def _power(element: ET.Element) -> tuple[StatedPower | None, tuple[str, ...]]:
    settings = list(element.iter("ATLConfocalSettingDefinition"))
    if any(number(found.get("ZCompensationModes")) for found in settings):
        return None, _DEPTH_COMPENSATED
    lines = [line for found in settings for line in found.iter("LaserLineSetting")]
    lasers = (
        (f"{line.get('LaserLine')} nm", number(line.get("IntensityDev")) or 0.0)
        for line in lines
        if line.get("IsLineChecked", "1") != "0"
    )
    return laser_power(lasers, "IntensityDev")
