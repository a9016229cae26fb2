"""Reader of z-stacks: TIFF, zarr and files of microscopes, with physical scale."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from cop_core.errors import CopError, UnreachableError
from cop_core.recipes.values import is_address
from cop_core.records import ITS_STACK, SINGLE_PLANE
from cop_core.stacks import Stack, open_stack
from cop_core.stacks.formats import files_of_set
from napari_cop.layers import LayerData, channel_layers

PathLike: TypeAlias = str | os.PathLike[str]
ReadLayers: TypeAlias = Callable[[PathLike | Sequence[PathLike]], list[LayerData]]

_TIFF: Final = (".tif", ".tiff", ".btf", ".tf8")
_SUFFIXES: Final = (
    *_TIFF,
    *(".nd2", ".lif", ".czi", ".oib", ".oif", ".ims"),
    ".xml",
)
_ZARR_MARKS: Final = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_PLACEHOLDER_STEP_UM: Final = 1.0


@dataclass(frozen=True)
class _Opened:
    """The channels of a file, and its shortcomings.

    Attributes
    ----------
    channels : tuple of Stack
        One stack for each channel.
    z_known : bool
        False if the file gives no usable z step.
    whole : bool
        False if the file is truncated.
    problem : str
        Its shortcoming, in the words of the error.
    """

    channels: tuple[Stack, ...]
    z_known: bool
    whole: bool
    problem: str = ""


def get_reader(path: PathLike | Sequence[PathLike]) -> ReadLayers | None:
    """Return a reader for a z-stack, or None for data better left to other readers.

    Parameters
    ----------
    path : path-like or sequence of path-like
        A TIFF file, a file of a microscope, the folder or the address of a zarr image, or the
        folder of a microscope's set; several are not accepted.

    Returns
    -------
    callable or None
        A function from the path to layers. None for several files, TIFFs of a single plane, colour
        images, movies and time series, several positions, other folders, and unreadable files.
    """
    single = _single_path(path)
    if single is None or not _looks_readable(single):
        return None
    opened = _open(single)
    if opened is None:
        return None

    def read(_: PathLike | Sequence[PathLike]) -> list[LayerData]:
        _tell_what_is_missing(single, opened)
        return channel_layers(opened.channels, z_known=opened.z_known)

    return read


def _single_path(path: Any) -> Path | str | None:
    if not isinstance(path, (str, os.PathLike)):
        return _single_path(path[0]) if len(path) == 1 else None
    return path if isinstance(path, str) and is_address(path) else Path(path)


def _looks_readable(path: Path | str) -> bool:
    if isinstance(path, str):
        return path.rstrip("/").endswith(".zarr")
    if path.is_dir():
        return any((path / mark).exists() for mark in _ZARR_MARKS) or _is_set(path)
    return path.is_file() and path.suffix.lower() in _SUFFIXES


def _is_set(folder: Path) -> bool:
    try:
        return bool(files_of_set(folder))
    except CopError:  # a header that cannot be read names no files
        return False


def _open(path: Path | str) -> _Opened | None:
    """Open a file as it is, else without its z step, else as far as it is complete."""
    problem = ""
    for whole in (True, False):
        for z_known in (True, False):
            try:
                channels = _channels(path, z_known=z_known, whole=whole)
            except UnreachableError:
                raise
            except CopError as error:
                problem = problem or error.what
            else:
                return _Opened(channels, z_known, whole, problem) if channels else None
    return None


def _channels(path: Path | str, *, z_known: bool, whole: bool) -> tuple[Stack, ...]:
    """Open all channels; return none if the planes are not along z."""
    step_um = None if z_known else _PLACEHOLDER_STEP_UM

    def channel(index: int) -> Stack:
        return open_stack(path, channel=index, z_step_um=step_um, allow_partial=not whole)

    first = channel(0)
    if first.image.plane_axis == "T" or (len(first) < 2 and _others_read(path)):
        return ()
    sizes = dict(zip(first.image.axes, first.image.shape, strict=True))
    return (first, *(channel(index) for index in range(1, sizes.get("C", 1))))


def _others_read(path: Path | str) -> bool:
    """Return whether napari itself reads a file, apart from the scale of its planes."""
    return isinstance(path, Path) and path.suffix.lower() in _TIFF


def _tell_what_is_missing(path: Path | str, opened: _Opened) -> None:
    # napari is imported only when there is something to report
    from napari.utils.notifications import show_warning

    name = Path(path).name
    if not opened.whole:
        show_warning(
            f"{name} is truncated: missing planes are shown black. Copy the file again if you can."
        )
    if len(opened.channels[0]) == 1:
        show_warning(f"{name} is {SINGLE_PLANE}: {ITS_STACK}.")
    elif not opened.z_known:
        show_warning(
            f"{name} opens in pixel units: {opened.problem}."
            " Set the layer's scale and units before reading noise against depth."
        )
