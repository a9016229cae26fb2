"""Content of a source before a z-stack is chosen from it, as returned by every format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from cop_core.recipes import MW

Position: TypeAlias = Mapping[str, int]
"""Index along every axis but Y and X."""

ReadPlane: TypeAlias = Callable[[Position], npt.NDArray[Any]]
"""Reads one plane, (height, width)."""

Stamp: TypeAlias = tuple[tuple[int, int, int], ...]
"""State of the files of a plane; see `stamp_of`."""


class BrokenPlaneError(Exception):
    """A plane cannot be read; the message is the reason. Never raised outside this package."""


@dataclass(frozen=True)
class Scale:
    """Physical scale from a file's metadata; None if not stated.

    Attributes
    ----------
    z_step_um : float or None
        Distance of two planes, larger than 0.
    z_positions_um : tuple of float or None
        Position of every plane along z, as stored (possibly descending).
    pixel_size_um : tuple of float or None
        Size of a pixel (y, x).
    unused_z_step : str
        A z step that was found without a known unit.
    may_be_movie : bool
        Whether planes labelled as z planes may be the frames of a movie: some programs use the same
        label for both.
    time_step : str
        Stated time between planes labelled as z planes, such as "a frame interval of 0.5 s".
    z_step_negative : bool
        Whether the z step has a minus sign, which does not identify the surface.
    """

    z_step_um: float | None = None
    z_positions_um: tuple[float, ...] | None = None
    pixel_size_um: tuple[float, float] | None = None
    unused_z_step: str = ""
    may_be_movie: bool = False
    time_step: str = ""
    z_step_negative: bool = False


@dataclass(frozen=True)
class StatedPower:
    """Excitation power as stated in a file.

    Attributes
    ----------
    values : tuple of float
        One value for the stack, or one for each plane in the order stored.
    unit : str
        ``"mW"`` at the sample, else the file's own: ``"%"``, ``"set-point"``, ``"V"``. Other units
        are converted to mW only by a given factor or table.
    stated_by : str
        Where it is stated, for example ``"SI.hBeams"``.
    """

    values: tuple[float, ...]
    unit: str
    stated_by: str


def stated_mw(value: Any, stated_by: str) -> StatedPower | None:
    """Return a power in mW stated in metadata as one number or one per plane; None for neither.

    Numbers that cannot be a power are refused on opening the stack.
    """
    values = value if isinstance(value, list | tuple) else [value]
    real = all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)
    return StatedPower(tuple(map(float, values)), MW, stated_by) if real and values else None


@dataclass(frozen=True)
class StatedDetector:
    """Properties of the detector of one channel from a file; None if not stated.

    Attributes
    ----------
    zero_counts : float or None
        Counts without light.
    ceiling_counts : float or None
        Largest count that can be stored.
    stated_by : str
        Where the file states them.
    """

    zero_counts: float | None = None
    ceiling_counts: float | None = None
    stated_by: str = ""


@dataclass(frozen=True)
class StatedSurface:
    """End of the planes, in the order stored, at the surface according to a file, and why."""

    end: Literal["first", "last"]
    stated_by: str


@dataclass(frozen=True)
class Opening:
    """Options of a format for opening a source; see `open_stack`."""

    axes: str | None = None
    level: int = 0
    position: int | None = None
    allow_partial: bool = False


def no_stamp(_: Position) -> Stamp:
    """Return the stamp of a plane without known files."""
    return ()


@dataclass(frozen=True)
class Growth:
    """How written planes are distinguished from reserved places in files that still grow.

    Attributes
    ----------
    stamp : callable
        State of the files of the plane at a position: None if one is missing, empty if files say
        nothing about a single plane.
    in_order : bool
        Whether planes are written from front to back.
    shared_axes : str
        Axes along which several planes share a file, or have reserved places before they are
        written.
    """

    stamp: Callable[[Position], Stamp | None] = no_stamp
    in_order: bool = False
    shared_axes: str = "TCZIQ"


@dataclass(frozen=True)
class Dataset:
    """Pixels with named axes, and a function that reads one plane.

    Attributes
    ----------
    source, name : str
        Path (or ``"array"``), and the name of the stack.
    kind : str
        The format, for example ``"ome-tiff"``.
    axes : str
        One letter per axis from ``TCZYXSIQ`` (S: colour samples; I and Q: unknown).
    shape : tuple of int
        Length of every axis.
    dtype : numpy.dtype
        Type of the stored pixels.
    read : callable
        Reads one plane; raises BrokenPlaneError or any error of the library.
    channels : tuple of str
        Names of the channels; empty if there are none.
    power : StatedPower or None
        Excitation power along z.
    surface : StatedSurface or None
        Set if the format documents the sign of z.
    detectors : tuple of StatedDetector
        One per channel; empty if nothing is stated.
    positions : int or None
        Number of stage positions, scenes or regions in the source, from which the format has chosen
        `Opening.position`; None if it has no such concept.
    usual_time : int or None
        Time point read by default; None if one must be chosen.
    remarks : tuple of str
        Omissions and decisions, as sentences for the user: flyback frames left out, an aborted
        acquisition.
    lossy : bool
        Whether the file states lossy compression.
    declared : bool
        False if the planned number of planes is not stated, only the present number.
    planned : int or None
        Planned number of planes, if it has only those acquired so far.
    """

    source: str
    name: str
    kind: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: ReadPlane
    scale: Scale = field(default_factory=Scale)
    channels: tuple[str, ...] = ()
    power: StatedPower | None = None
    surface: StatedSurface | None = None
    detectors: tuple[StatedDetector, ...] = ()
    positions: int | None = None
    usual_time: int | None = None
    remarks: tuple[str, ...] = ()
    lossy: bool = False
    declared: bool = True
    planned: int | None = None
    growth: Growth = field(default_factory=Growth)

    def size(self, axis: str) -> int:
        """Length of an axis; 1 if the axis does not exist."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Return a file's identity, size in bytes and time of change in ns."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
