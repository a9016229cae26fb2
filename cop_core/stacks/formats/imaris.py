"""Imaris .ims: HDF5 with channels, time points and resolution levels as groups, read by h5py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError, option
from cop_core.stacks.dataset import Dataset, Scale
from cop_core.stacks.formats.array import SlabReader
from cop_core.stacks.formats.hdf5 import ClosedArray, require_own, slab_lengths
from cop_core.stacks.formats.library import (
    FileImage,
    describe_image,
    require_library,
)
from cop_core.stacks.units import number, step_um

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening

KIND = "Imaris .ims"

_AXES: Final = {"X": 0, "Y": 1, "Z": 2}
"""Number of each axis in the names of the extent's ends."""


def recognises(path: Path) -> bool:
    """Return whether a file has the suffix .ims."""
    return path.suffix.lower() == ".ims" and path.is_file()


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe one resolution level of a file.

    Raises
    ------
    InputError
        If the library is missing, the level does not exist, or as for `describe_image`.
    """
    h5py = require_library("h5py", path)
    with h5py.File(path) as file:
        levels = _numbered(file["DataSet"], "ResolutionLevel ")
        if opening.level not in levels:
            raise InputError(
                f"there is no resolution level {opening.level}",
                where=str(path),
                advice=f"choose one from 0 to {len(levels) - 1} with {option('level')}",
            )
        image = _image(path, file, levels[opening.level], h5py)
    return describe_image(path, "imaris", image, opening)


def _numbered(group: Any, prefix: str) -> dict[int, Any]:
    """Return the members of a group whose names consist of a prefix and a number."""
    named = ((name.removeprefix(prefix), name) for name in group if name.startswith(prefix))
    return {int(n): group[name] for n, name in sorted(named) if n.isdigit()}


def _image(path: Path, file: Any, level: Any, h5py: Any) -> FileImage:
    arrays: dict[tuple[int, int], ClosedArray] = {}
    for time, group in _numbered(level, "TimePoint ").items():
        for channel, found in _numbered(group, "Channel ").items():
            require_own(found["Data"], str(path))
            arrays[time, channel] = ClosedArray(path, found["Data"], h5py.File)
    first = level["TimePoint 0"]["Channel 0"]
    size = {axis: _int(first, f"ImageSize{axis}") for axis in "ZYX"}
    info = file["DataSetInfo"]
    n_times, n_channels = (1 + max(indices) for indices in zip(*arrays, strict=True))
    names = (_text(info.get(f"Channel {i}"), "Name") for i in range(n_channels))
    return FileImage(
        sizes={"T": n_times, "C": n_channels, **size},
        dtype=arrays[0, 0].dtype,
        read=_Planes(arrays, (size["Y"], size["X"])),
        scale=_scale(info["Image"], size),
        channels=tuple(names),
    )


class _Planes:
    """Reads planes, cropped to the image: Imaris pads the last chunks with zeros."""

    def __init__(
        self, arrays: Mapping[tuple[int, int], ClosedArray], size: tuple[int, int]
    ) -> None:
        self._readers = {
            key: SlabReader(array, "ZYX", slab_lengths(array, "ZYX"))
            for key, array in arrays.items()
        }
        self._size = size

    def __call__(self, index: Mapping[str, int]) -> npt.NDArray[Any]:
        read = self._readers[index.get("T", 0), index.get("C", 0)]
        height, width = self._size
        return read({"Z": index.get("Z", 0)})[:height, :width]


def _text(group: Any, name: str) -> str:
    """Read an attribute, stored by Imaris as an array of single characters."""
    value = None if group is None else group.attrs.get(name)
    return (
        "" if value is None else b"".join(np.ravel(value).astype("S1")).decode("utf-8", "replace")
    )


def _int(group: Any, name: str) -> int:
    return int(_text(group, name))


def _scale(image: Any, size: Mapping[str, int]) -> Scale:
    """Read the size of a voxel from the ends of the image, which are at its outer faces."""
    unit = _text(image, "Unit")
    found = {}
    for axis, number_of in _AXES.items():
        low, high = (number(_text(image, f"Ext{end}{number_of}")) for end in ("Min", "Max"))
        length = None if low is None or high is None else (high - low) / size[axis]
        found[axis] = step_um(length, unit)
    y, x = found["Y"], found["X"]
    return Scale(z_step_um=found["Z"], pixel_size_um=(y, x) if y and x else None)
