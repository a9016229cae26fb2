"""The stack behind open_stack: planes read when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.stacks._dataset import BrokenPlaneError, ReadPlane
from cop_core.stacks.model import Plane, Validity
from cop_core.stacks.validity import broken_plane, check_plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cop_core.stacks._axes import Selection


@dataclass(frozen=True, eq=False)
class LazyStack:
    """A z-stack that holds no pixels but the plane being read (see model.Stack).

    Attributes
    ----------
    selection : Selection
        Which z-stack of the source.
    read : callable
        Reads one plane of the source.
    """

    name: str
    source: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    depth_um: npt.NDArray[np.float64]
    power_mw: npt.NDArray[np.float64]
    pixel_size_um: tuple[float, float] | None
    metadata: dict[str, Any]
    selection: Selection = field(repr=False)
    read: ReadPlane = field(repr=False)

    def plane(self, index: int) -> Plane:
        """Read one plane, with its validity.

        Raises
        ------
        InputError
            For an index outside the stack.
        """
        if not 0 <= index < len(self):
            raise InputError(
                f"there is no plane {index}",
                where=self.source,
                advice=f"the stack has {len(self)} planes, counted from 0",
            )
        data, validity = self._pixels(int(index))
        depth, power = float(self.depth_um[index]), float(self.power_mw[index])
        return Plane(int(index), data, depth, power, validity)

    def _pixels(self, index: int) -> tuple[npt.NDArray[Any], Validity]:
        position = {**self.selection.fixed, self.selection.plane_axis: index}
        try:
            found = np.ascontiguousarray(self.read(position), dtype=self.dtype)
        except BrokenPlaneError as error:
            reason = str(error)
        except Exception as error:
            # whatever a decoder says about broken bytes concerns this plane alone
            reason = f"damaged: {' '.join(f'{type(error).__name__} {error}'.split())[:120]}"
        else:
            if found.shape == self.shape[1:]:
                return found, check_plane(found)
            reason = f"damaged: plane of shape {found.shape}"
        return np.zeros(self.shape[1:], self.dtype), broken_plane(self.shape[1:], reason)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Plane]:
        return (self.plane(index) for index in range(len(self)))
