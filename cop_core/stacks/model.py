"""What a stack is to the rest of the package: planes, one at a time, with depth and power."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Validity:
    """Whether a plane may enter a fit.

    Attributes
    ----------
    reason : str
        Why the plane is excluded; empty where it is not.
    flags : tuple of str
        What the user should know although the plane is kept, for example
        ``"smaller than a crop"``.
    saturated_fraction : float
        Fraction of pixels at the top of the plane's range, in [0, 1].
    """

    reason: str = ""
    flags: tuple[str, ...] = ()
    saturated_fraction: float = 0.0

    @property
    def ok(self) -> bool:
        """True where no reason excludes the plane."""
        return not self.reason


@dataclass(frozen=True)
class Plane:
    """One plane of a stack.

    Attributes
    ----------
    index : int
        Position in the stack, from 0.
    data : ndarray of shape (height, width)
        Pixels as stored (a real dtype, native byte order), never rescaled.
    depth_um : float
        Depth below the first plane (or below the surface, where metadata say so), in um.
    power_mw : float
        Excitation power at the sample in mW; NaN where not stated.
    validity : Validity
        Whether the plane may enter a fit, and why not.
    """

    index: int
    data: npt.NDArray[Any]
    depth_um: float
    power_mw: float
    validity: Validity


@runtime_checkable
class Stack(Protocol):
    """A z-stack read one plane at a time.

    Attributes
    ----------
    name : str
        What the stack is called in tables and figures.
    source : str
        Where it comes from: a path, or ``"array"``.
    shape : tuple of int
        (planes, height, width).
    dtype : numpy.dtype
        Type of the stored pixels.
    depth_um : ndarray of shape (planes,)
        Depth of every plane in um.
    power_mw : ndarray of shape (planes,)
        Power at every plane in mW; NaN where not stated.
    pixel_size_um : tuple of float or None
        (y, x) size of a pixel in um.
    metadata : dict
        Everything else worth keeping, as plain JSON types.
    """

    name: str
    source: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    depth_um: npt.NDArray[np.float64]
    power_mw: npt.NDArray[np.float64]
    pixel_size_um: tuple[float, float] | None
    metadata: dict[str, Any]

    def plane(self, index: int) -> Plane:
        """Read one plane, with its validity."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Plane]: ...


@dataclass(frozen=True)
class Scale:
    """Physical scale found in a file's metadata; None where it says nothing."""

    z_step_um: float | None = None
    z_positions_um: tuple[float, ...] | None = None
    pixel_size_um: tuple[float, float] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
