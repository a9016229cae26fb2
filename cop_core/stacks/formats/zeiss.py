"""Zeiss .czi, read by pylibCZIrw."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import numpy as np

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
from cop_core.stacks.safe_xml import parse_xml
from cop_core.stacks.units import number, step_um

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening

KIND = "Zeiss .czi"

_INFORMATION: Final = "Metadata/Information/Image"
_CHANNEL: Final = f"{_INFORMATION}/Dimensions/Channels/Channel"
_SCENE: Final = f"{_INFORMATION}/Dimensions/S/Scenes/Scene"
_DTYPE: Final = {
    "Gray8": "u1", "Gray16": "u2", "Gray32Float": "f4",
    "Bgr24": "u1", "Bgr48": "u2", "Bgr96Float": "f4",
}  # fmt: skip


def recognises(path: Path) -> bool:
    """Return whether a file has the suffix .czi."""
    return path.suffix.lower() == ".czi" and path.is_file()


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe one scene of a file, with its tiles combined.

    Raises
    ------
    InputError
        If the library is missing, or as for `require_position` and `describe_image`.
    """
    czi = require_library("pylibCZIrw.czi", path)
    refuse_levels(opening.level, str(path))
    with czi.open_czi(str(path)) as file:
        root = parse_xml(file.raw_metadata, "XML", str(path))
        scenes = sorted(file.scenes_bounding_rectangle_no_pyramid)
        names = _scene_names(root, scenes)
        chosen = require_position(opening.position, len(names), str(path), names)
        read = _Planes(path, czi.open_czi, scenes[chosen] if scenes else None)
        image = _image(file, root, read)
    named = replace(image, name=names[chosen], positions=len(names))
    return describe_image(path, "czi", named, opening)


def _scene_names(root: ET.Element, scenes: list[int]) -> list[str]:
    named = {scene.get("Index"): scene.get("Name", "") for scene in root.findall(_SCENE)}
    return [named.get(str(scene), f"scene {scene}") for scene in scenes] or [""]


class _Planes:
    """Reads planes of one scene, from a file opened for each."""

    def __init__(self, path: Path, open_file: Any, scene: int | None) -> None:
        self._path, self._open, self.scene = path, open_file, scene

    def __call__(self, index: Mapping[str, int]) -> npt.NDArray[Any]:
        with self._open(str(self._path)) as file:
            return np.asarray(file.read(plane=dict(index), scene=self.scene))[..., 0]


def _image(file: Any, root: ET.Element, read: _Planes) -> FileImage:
    box = file.total_bounding_box
    loops = {axis: stop for axis, (_, stop) in box.items() if axis not in "YX"}
    shown = file.total_bounding_rectangle_no_pyramid
    if read.scene is not None:
        shown = file.scenes_bounding_rectangle_no_pyramid[read.scene]
    pixels = [file.get_channel_pixel_type(channel) for channel in range(loops["C"])]
    samples = {"S": 3} if any(kind.startswith("Bgr") for kind in pixels) else {}
    dtype = np.result_type(*(_DTYPE[kind] for kind in pixels))
    channels = root.findall(_CHANNEL)
    power, remarks = laser_power(_lasers(channels), "LightSourceSettings")
    return FileImage(
        sizes={**loops, "Y": shown.h, "X": shown.w, **samples},
        dtype=dtype,
        read=read,
        scale=_scale(root),
        channels=tuple(channel.get("Name", "") for channel in channels),
        power=power,
        detectors=ceilings(_bits(root, channels), "ComponentBitCount") if dtype.kind == "u" else (),
        remarks=remarks,
    )


def _bits(root: ET.Element, channels: list[ET.Element]) -> list[int]:
    default = root.findtext(f"{_INFORMATION}/ComponentBitCount", "0")
    stated = (channel.findtext("ComponentBitCount", default) for channel in channels)
    return [int(number(bits) or 0) for bits in stated]


def _scale(root: ET.Element) -> Scale:
    metres = {
        found.get("Id"): found.findtext("Value")
        for found in root.findall("Metadata/Scaling/Items/Distance")
    }
    z, y, x = (step_um(metres.get(axis), "m") for axis in "ZYX")
    return Scale(z_step_um=z, pixel_size_um=(y, x) if y and x else None)


def _lasers(channels: list[ET.Element]) -> list[tuple[str, float]]:
    """Return wavelength and intensity of the light sources stated in per cent."""
    found = []
    for source in (s for c in channels for s in c.iter("LightSourceSettings")):
        value, _, unit = source.findtext("Intensity", "").partition("%")
        percent = number(value)
        if percent is not None and not unit.strip() and "%" in source.findtext("Intensity", ""):
            found.append((f"{source.findtext('Wavelength', '?')} nm", percent))
    return found
