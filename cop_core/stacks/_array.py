"""Arrays in memory or behind dask and zarr, as a dataset."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cop_core.stacks._axes import axes_from_names, guess_axes, require_axes
from cop_core.stacks._dataset import Dataset
from cop_core.stacks._limits import require_block, require_plane_count, require_real
from cop_core.stacks._slabs import SlabReader, plane_axis_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOURCE = "array"


def is_array(source: object) -> bool:
    """Tell whether an object can be read like an array."""
    return all(hasattr(source, name) for name in ("shape", "dtype", "ndim", "__getitem__"))


def open_array(array: Any, axes: str | None) -> Dataset:
    """Describe an array.

    Parameters
    ----------
    array : numpy, dask or zarr array
        Pixels; (planes, Y, X) where ``axes`` is None.
    axes : str or None
        One letter an axis.

    Raises
    ------
    InputError
        For a type that is not real, unknown axes, or planes or chunks over the budget.
    """
    shape = tuple(int(n) for n in array.shape)
    if axes is not None:
        letters = require_axes(axes, len(shape), _SOURCE)
    else:
        names = getattr(getattr(array, "metadata", None), "dimension_names", None)
        letters = axes_from_names(names) or guess_axes(shape, _SOURCE)
    dtype = np.dtype(array.dtype)
    require_real(dtype, _SOURCE)
    chunks = _chunk_lengths(array, shape)
    if chunks:
        require_plane_count(max(map(len, chunks)), _SOURCE)
        largest = tuple(max(lengths, default=0) for lengths in chunks)
        require_block(largest, dtype.itemsize, "chunk", _SOURCE)
    axis = plane_axis_of(letters, shape)
    along = chunks[letters.index(axis)] if chunks and axis else ()
    read = SlabReader(array, letters, along)
    return Dataset(_SOURCE, _SOURCE, "array", letters, shape, dtype, read)


def _chunk_lengths(array: Any, shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Lengths of an array's chunks along every axis; empty for an array without chunks."""
    chunks = getattr(array, "chunks", None)
    if not isinstance(chunks, tuple) or len(chunks) != len(shape):
        return []
    return [regular(n, c) if isinstance(c, int) else c for n, c in zip(shape, chunks, strict=True)]


def regular(length: int, chunk: int) -> tuple[int, ...]:
    """Cut a length into chunks of one length, the last one shorter."""
    starts = itertools.chain(range(0, length, max(chunk, 1)), (length,))
    return tuple(b - a for a, b in itertools.pairwise(starts))
