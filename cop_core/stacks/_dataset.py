"""What a source holds before a z-stack is chosen from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cop_core.stacks.model import Scale

ReadPlane: TypeAlias = Callable[[Mapping[str, int]], npt.NDArray[Any]]
"""From the index along every axis but Y and X to the plane's pixels, (height, width)."""


Stamp: TypeAlias = tuple[tuple[int, int, int], ...]
"""State of the files of a plane; see `stamp_of`."""


class BrokenPlaneError(Exception):
    """A plane cannot be given; its message is the reason. Never leaves this package."""


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
        One letter an axis out of ``TCZYXSIQ`` (I and Q: unknown).
    shape : tuple of int
        Length of every axis.
    dtype : numpy.dtype
        Type of the stored pixels.
    read : callable
        Reads one plane; raises BrokenPlaneError, or whatever the library raises.
    scale : Scale
        Physical scale as far as the metadata give it.
    channels : tuple of str
        Names of the channels; empty where there are none.
    power_mw : object
        Power as found in the metadata (a number, or one a plane); None where not stated.
    declared : bool
        False where nothing says how many planes there are to be, only how many there are.
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
    power_mw: Any = None
    declared: bool = True

    def size(self, axis: str) -> int:
        """Length of an axis; 1 where the axis does not exist."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Return a file's identity, size in bytes and time of change in ns."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
