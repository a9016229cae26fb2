"""Planes in order of depth: without NaN, each depth once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def by_depth(depth_um: npt.ArrayLike, *columns: npt.ArrayLike) -> Array:
    """Return depth and columns of the planes that are finite in all, shape (1 + columns, n).

    Parameters
    ----------
    depth_um : array_like of shape (n,)
        In µm, in any order. Planes at one depth are averaged.
    *columns : array_like of shape (n,)
        What was measured there.
    """
    rows = np.column_stack([np.asarray(x, np.float64) for x in (depth_um, *columns)])
    rows = rows[np.isfinite(rows).all(axis=1)]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    _, group, count = np.unique(rows[:, 0], return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), rows.shape[1]))
    np.add.at(sums, group, rows)
    return np.asarray((sums / count[:, None]).T)
