"""Planes averaged over several time points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cop_core.stacks.dataset import BrokenPlaneError

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.stacks.dataset import Position, ReadPlane


def mean_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of the mean of pixels of a type."""
    return np.result_type(dtype, np.float32)


@dataclass(frozen=True)
class MeanOverTime:
    """Reads the mean of the first time points of a plane, one after the other."""

    read: ReadPlane
    n_times: int

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width).

        Raises
        ------
        BrokenPlaneError
            If one of them is broken: a mean of fewer has different noise.
        """
        total = self._at(position, 0).astype(np.float64)
        for time in range(1, self.n_times):
            total += self._at(position, time)
        return total / self.n_times

    def _at(self, position: Position, time: int) -> npt.NDArray[Any]:
        try:
            return self.read({**position, "T": time})
        except BrokenPlaneError as error:
            raise BrokenPlaneError(f"{error} (time point {time})") from None
