"""HDF5 files: datasets with two or more dimensions, read by h5py."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.axes import axes_from_names, guess_axes, require_axes, require_position
from cop_core.stacks.dataset import Dataset, Scale, StatedPower, stated_mw
from cop_core.stacks.formats.array import SlabReader, regular
from cop_core.stacks.formats.library import (
    FileImage,
    describe_image,
    refuse_levels,
    require_library,
)
from cop_core.stacks.limits import require_block
from cop_core.stacks.units import step_um

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening

KIND = "HDF5"

_SUFFIXES: Final = (".h5", ".hdf5", ".hdf", ".he5")


def recognises(path: Path) -> bool:
    """Return whether a file has the suffix of an HDF5 file."""
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe one dataset of a file.

    Raises
    ------
    InputError
        If the library is missing, or as for `require_position` and `describe_image`.
    """
    h5py = require_library("h5py", path)
    refuse_levels(opening.level, str(path))
    with h5py.File(path) as file:
        names = images_in(file, h5py)
        if not names:
            raise InputError("it has no dataset of numeric planes", where=str(path))
        chosen = names[require_position(opening.position, len(names), str(path), names)]
        image = _image(path, file[chosen], h5py, opening)
    name = chosen if len(names) > 1 else ""
    named = replace(image, name=name, positions=len(names))
    return describe_image(path, "hdf5", named, replace(opening, axes=None))


def images_in(file: Any, h5py: Any) -> list[str]:
    """Return the names of the datasets with planes of pixels that are in the file itself."""
    found: list[str] = []

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "iuf":
            found.append(name)

    file.visititems(look)
    return found


def require_own(dataset: Any, where: str) -> None:
    """Refuse a dataset with pixels in other files, or with chunks that exceed the limit."""
    if dataset.external or dataset.is_virtual:
        raise InputError(
            f"the pixels of {dataset.name!r} lie in other files",
            where=where,
            advice="copy them into one file, for example with h5repack",
        )
    if dataset.chunks:
        require_block(dataset.chunks, dataset.dtype.itemsize, "chunk", where)


class ClosedArray:
    """A dataset that is opened for every reading, with the interface of an array."""

    def __init__(self, path: Path, dataset: Any, open_file: Any) -> None:
        self._path, self._name, self._open = path, dataset.name, open_file
        self.shape, self.dtype = tuple(dataset.shape), dataset.dtype
        self.chunks = dataset.chunks

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        with self._open(self._path) as file:
            return np.asarray(file[self._name][index])


def _image(path: Path, dataset: Any, h5py: Any, opening: Opening) -> FileImage:
    where = str(path)
    require_own(dataset, where)
    axes = _axes(dataset, opening, where)
    array = ClosedArray(path, dataset, h5py.File)
    return FileImage(
        sizes=dict(zip(axes, array.shape, strict=True)),
        dtype=array.dtype,
        read=SlabReader(array, axes, slab_lengths(array, axes)),
        scale=_scale(dataset, axes),
        power=_power(dataset),
    )


def slab_lengths(array: Any, axes: str) -> tuple[int, ...]:
    """Return the number of planes that share a chunk along z."""
    if not array.chunks or "Z" not in axes:
        return ()
    z = axes.index("Z")
    return regular(array.shape[z], array.chunks[z])


def _axes(dataset: Any, opening: Opening, where: str) -> str:
    """Name the axes: as given, else as labelled by netCDF, ilastik or by hand, else by shape."""
    if opening.axes is not None:
        return require_axes(opening.axes, dataset.ndim, where)
    labels = [dimension.label for dimension in dataset.dims]
    tags = dataset.attrs.get("axistags")
    if isinstance(tags, (str, bytes)):
        labels = [str(tag.get("key", "")) for tag in json.loads(tags).get("axes", [])]
    if isinstance(named := dataset.attrs.get("axes"), str):
        labels = list(named)
    return axes_from_names(labels) or guess_axes(dataset.shape, where)


def _scale(dataset: Any, axes: str) -> Scale:
    """Read the size of a voxel, (z, y, x) in µm, as written by Fiji's HDF5 plugin and ilastik."""
    sizes = np.ravel(dataset.attrs.get("element_size_um", ()))
    if len(sizes) != 3:
        return Scale()
    z, y, x = (step_um(size, "um") for size in sizes)
    return Scale(z_step_um=z if "Z" in axes else None, pixel_size_um=(y, x) if y and x else None)


def _power(dataset: Any) -> StatedPower | None:
    found = dataset.attrs.get("power_mw")
    return stated_mw(
        found.tolist() if isinstance(found, np.generic | np.ndarray) else found, "power_mw"
    )
