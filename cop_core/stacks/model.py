"""What a stack is to the rest of the package: planes, one at a time, with depth and power."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        Pixels as stored (a real dtype, native byte order), never rescaled; zeros where the
        plane could not be read (its validity then has a reason).
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

    ``plane`` never raises for a broken plane: the plane comes back as zeros with a reason in
    its validity. It raises InputError for an index outside the stack.
    """

    @property
    def name(self) -> str:
        """What the stack is called in tables and figures."""

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
        """Depth of every plane in um, shape (planes,)."""

    @property
    def power_mw(self) -> npt.NDArray[np.float64]:
        """Power at every plane in mW, NaN where not stated, shape (planes,)."""

    @property
    def pixel_size_um(self) -> tuple[float, float] | None:
        """Size of a pixel in um (y, x); None where not stated."""

    @property
    def metadata(self) -> dict[str, Any]:
        """Everything else worth keeping, as plain JSON types."""

    def plane(self, index: int) -> Plane:
        """Read one plane, with its validity."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Plane]: ...


@dataclass(frozen=True)
class Scale:
    """Physical scale found in a file's metadata; None where it says nothing.

    Attributes
    ----------
    z_step_um : float or None
        Distance of two planes in um, larger than 0.
    z_positions_um : tuple of float or None
        Position of every plane in um along z, as stored (it may descend).
    pixel_size_um : tuple of float or None
        Size of a pixel in um (y, x).
    extra : dict
        Notes on what was found and could not be used, JSON types.
    """

    z_step_um: float | None = None
    z_positions_um: tuple[float, ...] | None = None
    pixel_size_um: tuple[float, float] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
