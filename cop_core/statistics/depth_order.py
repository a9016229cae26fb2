"""Planes in order of depth: none without a number, none twice, neighbours averaged in blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def by_depth(depth_um: npt.ArrayLike, *columns: npt.ArrayLike) -> Array:
    """Return depth and columns of the planes that have a number in all, shape (1 + columns, n).

    Parameters
    ----------
    depth_um : array_like of shape (n,)
        In um, in any order. Planes at one depth are averaged.
    *columns : array_like of shape (n,)
        What was measured there.
    """
    rows = np.column_stack([np.asarray(x, np.float64) for x in (depth_um, *columns)])
    rows = rows[np.isfinite(rows).all(axis=1)]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    return _averaged(rows, rows[:, 0])


def in_blocks(planes: Array, size: int) -> Array:
    """Return means of each `size` neighbours of what `by_depth` gives; the last may be fewer."""
    return planes if size == 1 else _averaged(planes.T, np.arange(planes.shape[1]) // size)


def _averaged(rows: Array, keys: npt.NDArray[np.generic]) -> Array:
    """Return the means of rows with equal keys, as columns."""
    _, group, count = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), rows.shape[1]))
    np.add.at(sums, group, rows)
    return np.asarray((sums / count[:, None]).T)
