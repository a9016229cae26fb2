"""Nikon .nd2, read by nd2."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.stacks.aborted import how_much
from cop_core.stacks.axes import require_position
from cop_core.stacks.dataset import BrokenPlaneError, Dataset, Scale
from cop_core.stacks.formats.library import (
    FileImage,
    ceilings,
    describe_image,
    laser_power,
    refuse_levels,
    require_library,
)
from cop_core.stacks.units import step_um
from cop_core.stacks.validity import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening

KIND = "Nikon .nd2"

_LASER: Final = re.compile(r"\{Laser Wavelength\}:\s*([\d.]+)\s*\{Laser Power\}:\s*([\d.]+)")
_IN_FRAME: Final = "CYXS"


def recognises(path: Path) -> bool:
    """Return whether a file has the suffix .nd2."""
    return path.suffix.lower() == ".nd2" and path.is_file()


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe one position of a file.

    Raises
    ------
    InputError
        If the library is missing, or as for `require_position` and `describe_image`.
    """
    nd2 = require_library("nd2", path)
    refuse_levels(opening.level, str(path))
    with nd2.ND2File(path) as file:
        names = _position_names(file)
        chosen = require_position(opening.position, len(names), str(path), names)
        image = _image(file, path, nd2.ND2File, chosen)
    named = replace(image, name=names[chosen], positions=len(names))
    return describe_image(path, "nd2", named, opening)


def _position_names(file: Any) -> list[str]:
    loops = [loop for loop in file.experiment if loop.type == "XYPosLoop"]
    if not loops:
        return [""]
    return [point.name or f"point {i + 1}" for i, point in enumerate(loops[0].parameters.points)]


def _image(file: Any, path: Path, open_file: Any, position: int) -> FileImage:
    sizes = dict(file.sizes)
    loops = {axis: n for axis, n in sizes.items() if axis not in _IN_FRAME}
    fixed = {"P": position} if "P" in loops else {}
    n_frames = file.attributes.sequenceCount

    def read(index: Mapping[str, int]) -> npt.NDArray[Any]:
        at = {**index, **fixed}
        order = [at.get(axis, 0) for axis in loops]
        frame = int(np.ravel_multi_index(order, tuple(loops.values()))) if order else 0
        if frame >= n_frames:
            raise BrokenPlaneError(TRUNCATED)
        with open_file(path) as opened:
            found = np.array(opened.read_frame(frame))
        return found[at["C"]] if sizes.get("C", 1) > 1 else found

    channels = (file.metadata.channels or []) if not file.is_legacy else []
    power, remarks = _power(file)
    bits = file.attributes.bitsPerComponentSignificant if file.dtype.kind == "u" else 0
    return FileImage(
        sizes={axis: n for axis, n in sizes.items() if axis != "P"},
        dtype=file.dtype,
        read=read,
        scale=_scale(file),
        channels=tuple(channel.channel.name for channel in channels),
        power=power,
        detectors=ceilings([bits] * sizes.get("C", 1), "bitsPerComponentSignificant"),
        remarks=remarks + how_much(n_frames, math.prod(loops.values())),
    )


def _scale(file: Any) -> Scale:
    steps = [loop.parameters.stepUm for loop in file.experiment if loop.type == "ZStackLoop"]
    channels = (file.metadata.channels or []) if not file.is_legacy else []
    if not channels or not all(channels[0].volume.axesCalibrated[:2]):
        return Scale(step_um(steps[0], "um") if steps else None)
    x, y = (step_um(size, "um") for size in channels[0].volume.axesCalibration[:2])
    return Scale(
        z_step_um=step_um(steps[0], "um") if steps else None,
        pixel_size_um=(y, x) if y and x else None,
    )


def _power(file: Any) -> Any:
    """Read the powers of the lasers from the program's description for human readers."""
    text = file.text_info.get("description", "")
    lasers = ((f"{float(nm):g} nm", float(percent)) for nm, percent in _LASER.findall(text))
    return laser_power(lasers, "Laser Power in the description")
