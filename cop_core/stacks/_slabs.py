"""Planes of a chunked array, each chunk decoded once however many planes it spans."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cop_core.stacks._limits import MAX_SLAB_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def plane_axis_of(axes: str, shape: Sequence[int]) -> str:
    """Give the letter of the axis that planes are read along; empty where there is none."""
    for axis in "ZTIQ":
        if axis in axes and shape[axes.index(axis)] > 1:
            return axis
    return ""


class SlabReader:
    """Reads planes of an array, keeping the slab of planes that share chunks.

    Parameters
    ----------
    array : array
        A numpy, dask or zarr array.
    axes : str
        One letter an axis.
    chunks : sequence of int
        Lengths of the chunks along the plane axis, in order; empty where chunks do not
        matter. A slab over MAX_SLAB_BYTES is not kept: its planes are read one at a time.
    """

    def __init__(self, array: Any, axes: str, chunks: Sequence[int] = ()) -> None:
        self._array = array
        self._axes = axes
        self._axis = plane_axis_of(axes, array.shape)
        self._starts = [0, *accumulate(chunks)]
        self._keeps = self._worth_keeping(max(chunks, default=1))
        self._slab: tuple[Any, npt.NDArray[Any]] | None = None
        self._lock = Lock()

    def __call__(self, position: Mapping[str, int]) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width)."""
        if self._axis not in position or not self._keeps:
            return self._oriented(self._read(dict(position)))
        with self._lock:
            start, stop = self._bounds(position[self._axis])
            key = (start, sorted((a, i) for a, i in position.items() if a != self._axis))
            if self._slab is None or self._slab[0] != key:
                # dropped before the next is read, so that only one is ever held
                self._slab = None
                self._slab = key, self._read({**position, self._axis: slice(start, stop)})
            return self._oriented(self._plane_of(self._slab[1], position[self._axis] - start))

    def _worth_keeping(self, longest: int) -> bool:
        height, width = (self._array.shape[self._axes.index(a)] for a in "YX")
        nbytes = math.prod((longest, height, width)) * self._array.dtype.itemsize
        return bool(longest > 1 and nbytes <= MAX_SLAB_BYTES)

    def _bounds(self, index: int) -> tuple[int, int]:
        chunk = bisect_right(self._starts, index) - 1
        return self._starts[chunk], self._starts[chunk + 1]

    def _read(self, position: Mapping[str, int | slice]) -> npt.NDArray[Any]:
        index = tuple(position.get(axis, slice(None)) for axis in self._axes)
        return np.asarray(self._array[index])

    def _plane_of(self, slab: npt.NDArray[Any], index: int) -> npt.NDArray[Any]:
        kept = [a for a in self._axes if a in ("Y", "X", self._axis)]
        return np.asarray(slab.take(index, axis=kept.index(self._axis)))

    def _oriented(self, plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return plane.T if self._axes.index("X") < self._axes.index("Y") else plane
