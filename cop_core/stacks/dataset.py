"""What a source holds before a z-stack is chosen from it: what every format gives."""

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
    """A plane cannot be given; its message is the reason. Never leaves this package."""


@dataclass(frozen=True)
class Scale:
    """Physical scale found in a file's metadata; None where it says nothing.

    Attributes
    ----------
    z_step_um : float or None
        Distance of two planes, larger than 0.
    z_positions_um : tuple of float or None
        Position of every plane along z, as stored (it may descend).
    pixel_size_um : tuple of float or None
        Size of a pixel (y, x).
    unused_z_step : str
        A z step that was found without a known unit.
    may_be_movie : bool
        Whether planes that are called z planes may be the frames of a movie: the program that
        wrote them calls both so.
    time_step : str
        What is stated of the time between planes that are called z planes, as in "a frame interval
        of 0.5 s".
    z_step_negative : bool
        Whether the z step is stated with a minus sign, which says of no end that it is the surface.
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
    """Excitation power as a file states it.

    Attributes
    ----------
    values : tuple of float
        One for the stack, or one for each plane in the order stored.
    unit : str
        ``"mW"`` at the sample, else the file's own: ``"%"``, ``"set-point"``, ``"V"``. Only a
        factor or a table that somebody gives turns another unit into mW.
    stated_by : str
        Where it is stated, for example ``"SI.hBeams"``.
    """

    values: tuple[float, ...]
    unit: str
    stated_by: str


def stated_mw(value: Any, stated_by: str) -> StatedPower | None:
    """Return a power in mW that metadata state as a number, or as one a plane; None for neither.

    Numbers that no power can be are refused where the stack is opened.
    """
    values = value if isinstance(value, list | tuple) else [value]
    real = all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)
    return StatedPower(tuple(map(float, values)), MW, stated_by) if real and values else None


@dataclass(frozen=True)
class StatedDetector:
    """What a file states of the detector of one channel; None where it says nothing.

    Attributes
    ----------
    zero_counts : float or None
        Counts without light.
    ceiling_counts : float or None
        Largest count that can be stored.
    stated_by : str
        Where they are stated.
    """

    zero_counts: float | None = None
    ceiling_counts: float | None = None
    stated_by: str = ""


@dataclass(frozen=True)
class StatedSurface:
    """Which end of the planes, in the order stored, a file puts at the surface, and why."""

    end: Literal["first", "last"]
    stated_by: str


@dataclass(frozen=True)
class Opening:
    """How a source is to be opened; see `open_stack`."""

    axes: str | None = None
    level: int = 0
    position: int | None = None
    allow_partial: bool = False


def no_stamp(_: Position) -> Stamp:
    """Say nothing of the files of a plane."""
    return ()


@dataclass(frozen=True)
class Growth:
    """How planes of files that are still being written are told from places kept for them.

    Attributes
    ----------
    stamp : callable
        State of the files of the plane at a position: None where one lacks, empty where files
        say nothing of a single plane.
    in_order : bool
        Whether planes are written from front to back.
    shared_axes : str
        Axes along which several planes share a file, or get their place before their pixels.
    """

    stamp: Callable[[Position], Stamp | None] = no_stamp
    in_order: bool = False
    shared_axes: str = "TCZIQ"


@dataclass(frozen=True)
class Dataset:
    """Pixels with named axes, and how to read one plane of them.

    Attributes
    ----------
    source, name : str
        Path (or ``"array"``) and what to call the stack.
    kind : str
        The format, for example ``"ome-tiff"``.
    axes : str
        One letter an axis out of ``TCZYXSIQ`` (S: colour samples; I and Q: unknown).
    shape : tuple of int
        Length of every axis.
    dtype : numpy.dtype
        Type of the stored pixels.
    read : callable
        Reads one plane; raises BrokenPlaneError, or whatever the library raises.
    channels : tuple of str
        Names of the channels; empty where there are none.
    power : StatedPower or None
        Excitation power along z.
    surface : StatedSurface or None
        Where the format documents the sign of z.
    detectors : tuple of StatedDetector
        One a channel; empty where nothing is stated.
    positions : int or None
        Stage positions, scenes or regions that the source holds, out of which the format has
        taken `Opening.position`; None where it knows of no such thing.
    usual_time : int or None
        Time point that is read where none is chosen; None where one must be.
    remarks : tuple of str
        What was left out or decided on reading, as sentences for a user: flyback frames that were
        dropped, an acquisition that was aborted.
    lossy : bool
        Whether it is stated that pixels were compressed with loss.
    declared : bool
        False where nothing says how many planes there are to be, only how many there are.
    planned : int or None
        How many there are to be, where it holds those alone that were acquired.
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
        """Length of an axis; 1 where the axis does not exist."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Return a file's identity, size in bytes and time of change in ns."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
