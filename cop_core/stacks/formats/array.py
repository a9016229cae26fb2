"""Arrays in memory, of dask or of zarr; a chunk of many planes is decoded once."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.stacks.axes import axes_from_names, guess_axes, require_axes
from cop_core.stacks.dataset import Dataset
from cop_core.stacks.limits import (
    MAX_SLAB_BYTES,
    require_block,
    require_plane_count,
    require_real,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.stacks.dataset import Position

SOURCE: Final = "array"


def is_array(source: object) -> bool:
    """Return whether an object can be read like an array."""
    return all(hasattr(source, name) for name in ("shape", "dtype", "ndim", "__getitem__"))


def describe_array(array: Any, axes: str | None) -> Dataset:
    """Describe a numpy, dask or zarr array: (planes, Y, X) if ``axes`` is None.

    Raises
    ------
    InputError
        For a type that is not real, unknown axes, or planes or chunks that exceed a limit.
    """
    shape = tuple(int(n) for n in array.shape)
    if axes is not None:
        letters = require_axes(axes, len(shape), SOURCE)
    else:
        names = getattr(getattr(array, "metadata", None), "dimension_names", None)
        letters = axes_from_names(names) or guess_axes(shape, SOURCE)
    dtype = np.dtype(array.dtype)
    require_real(dtype, SOURCE)
    chunks = _chunk_lengths(array, shape)
    if chunks:
        require_plane_count(max(map(len, chunks)), SOURCE)
        largest = tuple(max(lengths, default=0) for lengths in chunks)
        require_block(largest, dtype.itemsize, "chunk", SOURCE)
    axis = plane_axis_of(letters, shape)
    along = chunks[letters.index(axis)] if chunks and axis else ()
    read = SlabReader(array, letters, along)
    return Dataset(SOURCE, SOURCE, SOURCE, letters, shape, dtype, read)


def _chunk_lengths(array: Any, shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Lengths of an array's chunks along every axis; empty for an array without chunks."""
    chunks = getattr(array, "chunks", None)
    if not isinstance(chunks, tuple) or len(chunks) != len(shape):
        return []
    return [regular(n, c) if isinstance(c, int) else c for n, c in zip(shape, chunks, strict=True)]


def regular(length: int, chunk: int) -> tuple[int, ...]:
    """Divide a length into equal chunks, with a shorter last one."""
    starts = itertools.chain(range(0, length, max(chunk, 1)), (length,))
    return tuple(b - a for a, b in itertools.pairwise(starts))


def plane_axis_of(axes: str, shape: Sequence[int]) -> str:
    """Return the letter of the axis along which planes are read; empty if there is none."""
    for axis in "ZTIQ":
        if axis in axes and shape[axes.index(axis)] > 1:
            return axis
    return ""


class SlabReader:
    """Reads planes of a numpy, dask or zarr array, and keeps the slab of planes that share chunks.

    ``chunks`` are the lengths of the chunks along the plane axis, in order; empty if irrelevant. A
    slab larger than MAX_SLAB_BYTES is not kept: its planes are read one at a time.
    """

    def __init__(self, array: Any, axes: str, chunks: Sequence[int] = ()) -> None:
        self._array = array
        self._axes = axes
        self._axis = plane_axis_of(axes, array.shape)
        self._starts = [0, *itertools.accumulate(chunks)]
        self._keeps = self._worth_keeping(max(chunks, default=1))
        self._slab: tuple[Any, npt.NDArray[Any]] | None = None
        self._lock = Lock()

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width)."""
        if self._axis not in position or not self._keeps:
            return self._oriented(self._read(position))
        with self._lock:
            start, stop = self._bounds(position[self._axis])
            key = (start, sorted((a, i) for a, i in position.items() if a != self._axis))
            if self._slab is None or self._slab[0] != key:
                # released before the next is read: only one is held at any time
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
