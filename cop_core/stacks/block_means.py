"""Means of a plane over coarse blocks, used to recognise a tissue and how it moved."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.records import block_side

_DIGITS: Final = 3


def block_means(data: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return means over square blocks, to about a thousandth of their range.

    Parameters
    ----------
    data : ndarray of shape (h, w)
        A plane in counts.

    Returns
    -------
    ndarray of shape (h // side, w // side)
        NaN for blocks with a pixel that has no value. Pixels beyond the last whole block are
        ignored; the shape is (0, 0) if there is no whole block.
    """
    means = means_of_blocks(data, block_side(data.shape))
    if not means.size:
        return np.empty((0, 0))
    known = means[np.isfinite(means)]
    if not known.size or not np.ptp(known):
        return means
    decimals = _DIGITS - int(np.floor(np.log10(np.ptp(known))))
    return np.asarray(np.round(means, decimals))


def means_of_blocks(data: npt.NDArray[Any], side: int) -> npt.NDArray[np.float64]:
    """Return the means of square blocks; remaining rows and columns are ignored."""
    rows, columns = (n // side for n in data.shape)
    bands = data[: rows * side, : columns * side].reshape(rows, side, columns * side)
    with np.errstate(invalid="ignore"):
        # along the rows of memory first: several times as fast as over both axes at once
        lines = bands.sum(axis=1, dtype=np.float64).reshape(rows, columns, side)
    return np.asarray(lines.sum(axis=2) / side**2)
