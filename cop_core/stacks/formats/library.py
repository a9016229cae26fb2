"""Common parts of formats read by a library: image, axes, laser power, the import."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from cop_core.errors import InputError, option
from cop_core.stacks.axes import KNOWN, refuse_scan, require_axes
from cop_core.stacks.dataset import Dataset, Scale, StatedDetector, StatedPower
from cop_core.stacks.limits import require_block, require_plane_count, require_real

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening, Position

INSTALL: Final = 'pip install "napari-cop[formats]"'

ReadIndex: TypeAlias = Callable[[Mapping[str, int]], "npt.NDArray[Any]"]
"""Reads one plane by its index along the library's own axes, without leaving a file open."""


@dataclass(frozen=True)
class FileImage:
    """One image of a file, as described by its library.

    Attributes
    ----------
    sizes : mapping of str to int
        Length by the library's name of the axis; Y, X, and S for colour samples, are this
        package's.
    read : callable
        Reads one plane, (height, width).
    name : str
        Its name in the file; empty if it is the only one.
    positions, planned : int or None
        As in Dataset.
    """

    sizes: Mapping[str, int]
    dtype: np.dtype[Any]
    read: ReadIndex
    name: str = ""
    positions: int | None = None
    planned: int | None = None
    scale: Scale = field(default_factory=Scale)
    channels: tuple[str, ...] = ()
    power: StatedPower | None = None
    detectors: tuple[StatedDetector, ...] = ()
    remarks: tuple[str, ...] = ()


def require_library(module: str, path: Path) -> Any:
    """Import the library that reads a file.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"the reader of {path.suffix} files is not installed ({error})",
            where=str(path),
            advice=f"install it: {INSTALL}",
        ) from None


def describe_image(
    path: Path, kind: str, image: FileImage, opening: Opening, name: str = ""
) -> Dataset:
    """Describe one image of a file; an empty ``name`` stands for that of the file.

    Raises
    ------
    InputError
        If its frames are not planes along Y and X, its pixels are not real, it exceeds a limit, or
        it lacks the requested axes or resolution level.
    """
    where = str(path)
    _require_frames(image.sizes, where)
    axes = _letters(image.sizes, opening.axes, where)
    shape = tuple(image.sizes[name] for name in axes.values())
    require_real(image.dtype, where)
    require_plane_count(max(shape), where)
    plane = (image.sizes["Y"], image.sizes["X"])
    require_block(plane, image.dtype.itemsize, "plane", where)
    same_z = axes.get("Z", "Z") == "Z"

    def read(position: Position) -> npt.NDArray[Any]:
        return image.read({axes[letter]: index for letter, index in position.items()})

    return Dataset(
        source=where,
        name=f"{name or path.stem} {image.name}".strip(),
        kind=kind,
        axes="".join(axes),
        shape=shape,
        dtype=image.dtype,
        read=read,
        scale=image.scale if same_z else replace(image.scale, z_step_um=None, z_positions_um=None),
        channels=image.channels,
        power=image.power if same_z else None,
        detectors=image.detectors,
        positions=image.positions,
        remarks=image.remarks,
        planned=image.planned if same_z else None,
    )


def refuse_levels(level: int, where: str) -> None:
    """Refuse a coarser resolution level if only the finest is read."""
    if level:
        raise InputError(
            f"there is no resolution level {level}",
            where=where,
            advice=f"choose {option('level', '0')}",
        )


def _require_frames(sizes: Mapping[str, int], where: str) -> None:
    """Refuse an image that was not scanned along X and Y."""
    if {"Y", "X"} <= set(sizes):
        return
    scanned = " and ".join([axis.lower() for axis in "XYZT" if axis in sizes][:2])
    refuse_scan(f"it is a scan along {scanned}", where)


def _letters(sizes: Mapping[str, int], given: str | None, where: str) -> dict[str, str]:
    """Return the relevant axes of the library as this package's letters, in the library's order."""
    names = [name for name, n in sizes.items() if n > 1 or name in "ZYX"]
    if given is None:
        return _known_letters(names, where)
    names = list(sizes) if len(given) == len(sizes) else names
    letters = dict(zip(require_axes(given, len(names), where), names, strict=True))
    if (letters["Y"], letters["X"]) != ("Y", "X"):
        raise InputError(
            f"axes {given!r} rotate its planes, which lie along Y and X",
            where=where,
            advice=f"keep their order: {option('axes', ''.join(names))}",
        )
    return letters


def _known_letters(names: Sequence[str], where: str) -> dict[str, str]:
    """Call unknown axes I and Q, as far as these are free."""
    free = [letter for letter in "IQ" if letter not in names]
    unknown = [name for name in names if name not in KNOWN]
    if len(unknown) > len(free):
        raise InputError(f"axes {', '.join(unknown)} are not known", where=where)
    letters = dict(zip(unknown, free, strict=False))
    return {letters.get(name, name): name for name in names}


def laser_power(
    lasers: Iterable[tuple[str, float]], stated_by: str
) -> tuple[StatedPower | None, tuple[str, ...]]:
    """Return the power of the one laser that was on, and remarks if there were several.

    Parameters
    ----------
    lasers : iterable of (str, float)
        Name of each, for example its wavelength, and its power in per cent.
    stated_by : str
        Place in the file where they are stated.
    """
    on = sorted({(name, percent) for name, percent in lasers if percent > 0})
    if len(on) == 1:
        return StatedPower((on[0][1],), "%", stated_by), ()
    if not on:
        return None, ()
    listed = ", ".join(f"{name} at {percent:g} %" for name, percent in on)
    return None, (f"several lasers were on ({listed}), so their power is not taken from the file",)


def ceilings(bits: Iterable[int], stated_by: str) -> tuple[StatedDetector, ...]:
    """Return the detectors of channels with so many bits."""
    return tuple(
        StatedDetector(ceiling_counts=float(2**n - 1), stated_by=stated_by) if n > 0 else
        StatedDetector() for n in bits
    )  # fmt: skip
