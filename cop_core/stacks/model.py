"""Interface of a stack to the rest of the package: single planes with depth and power."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError, UnreachableError
from cop_core.recipes import MW
from cop_core.records import in_mw
from cop_core.stacks.dataset import BrokenPlaneError
from cop_core.stacks.validity import Validity, check_plane, size_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cop_core.recipes import StackOptions
    from cop_core.records import StoredImage
    from cop_core.stacks.axes import Selection
    from cop_core.stacks.dataset import ReadPlane, StatedDetector


@dataclass(frozen=True)
class Plane:
    """One plane of a stack.

    Attributes
    ----------
    index : int
        Position in the stack, from 0.
    data : ndarray of shape (height, width)
        Pixels as stored (a real dtype, native byte order), never rescaled; zeros where the
        plane could not be read (its validity then has a reason).
    depth_um : float
        Depth below the plane assumed to be the surface (`StoredImage.surface`).
    power : float
        Excitation power; NaN if not stated.
    power_unit : str
        ``"mW"`` at the sample, or the file's own.
    """

    index: int
    data: npt.NDArray[Any]
    depth_um: float
    power: float
    validity: Validity
    power_unit: str = MW


@runtime_checkable
class Stack(Protocol):
    """A z-stack read one plane at a time."""

    @property
    def name(self) -> str:
        """Name of the stack in tables and figures."""

    @property
    def source(self) -> str:
        """Where it comes from: a path, or ``"array"``."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, height and width."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels, in native byte order."""

    @property
    def depth_um(self) -> npt.NDArray[np.float64]:
        """Depth of every plane, shape (planes,)."""

    @property
    def power(self) -> npt.NDArray[np.float64]:
        """Power at every plane in `power_unit`, NaN where not stated, shape (planes,)."""

    @property
    def power_unit(self) -> str:
        """``"mW"`` at the sample, or the file's own unit."""

    @property
    def power_mw(self) -> npt.NDArray[np.float64]:
        """Power in mW at every plane, NaN where it is not known in mW, shape (planes,)."""

    @property
    def detector(self) -> StatedDetector | None:
        """What the file states about the detector of the channel."""

    @property
    def pixel_size_um(self) -> tuple[float, float] | None:
        """Size of a pixel (y, x); None if not stated."""

    @property
    def options(self) -> StackOptions:
        """How it was opened."""

    @property
    def image(self) -> StoredImage:
        """How the file is stored, and which part of it this stack is."""

    def plane(self, index: int, validity: Validity | None = None) -> Plane:
        """Read one plane; a broken plane is returned as zeros, with a reason in its validity.

        Parameters
        ----------
        index : int
            From 0.
        validity : Validity, optional
            Its validity from an earlier reading, which saves examining its pixels again.

        Raises
        ------
        InputError
            For an index outside the stack.
        UnreachableError
            If it is at an address and cannot be fetched.
        """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Plane]: ...


@dataclass(frozen=True, eq=False)
class LazyStack:
    """One z-stack of a dataset, a `Stack` that holds only the pixels of the plane being read."""

    name: str
    source: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    depth_um: npt.NDArray[np.float64]
    power: npt.NDArray[np.float64]
    power_unit: str
    pixel_size_um: tuple[float, float] | None
    options: StackOptions
    image: StoredImage
    detector: StatedDetector | None
    selection: Selection = field(repr=False)
    read: ReadPlane = field(repr=False)
    lossy: bool = False

    @property
    def _ceiling(self) -> float | None:
        return self.detector.ceiling_counts if self.detector else None

    @property
    def power_mw(self) -> npt.NDArray[np.float64]:
        return in_mw(self.power, self.power_unit)

    def plane(self, index: int, validity: Validity | None = None) -> Plane:
        """Read one plane, with its validity; see `Stack.plane`."""
        if not 0 <= index < len(self):
            raise InputError(
                f"there is no plane {index}",
                where=self.source,
                advice=f"the stack has {len(self)} planes, counted from 0",
            )
        data, found = self._pixels(int(index), validity)
        depth_um, power = float(self.depth_um[index]), float(self.power[index])
        return Plane(int(index), data, depth_um, power, found, self.power_unit)

    def _pixels(self, index: int, known: Validity | None) -> tuple[npt.NDArray[Any], Validity]:
        try:
            found = np.ascontiguousarray(self.read(self.selection.at(index)), dtype=self.dtype)
        except BrokenPlaneError as error:
            reason = str(error)
        except UnreachableError:
            raise
        except Exception as error:
            # any error of a decoder concerns this plane alone
            reason = f"damaged: {' '.join(f'{type(error).__name__} {error}'.split())[:120]}"
        else:
            if found.shape == self.shape[1:]:
                return found, known if known and known.readable else self._check(found)
            reason = f"damaged: plane of shape {found.shape}"
        return np.zeros(self.shape[1:], self.dtype), Validity(reason, size_flags(self.shape[1:]))

    def _check(self, pixels: npt.NDArray[Any]) -> Validity:
        return check_plane(pixels, ceiling_counts=self._ceiling, lossy=self.lossy)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Plane]:
        return (self.plane(index) for index in range(len(self)))
