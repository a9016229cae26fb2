"""What ONNX has no operator for, written in those it has: for `cop_core.network.onnx_export`.

Each function translates one operation of PyTorch, for one crop at a time.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxscript
from onnxscript import DOUBLE, FLOAT, INT64
from onnxscript import opset18 as op

from cop_core.network.patch_pca import DIRECTIONS

_SIDE: Final = DIRECTIONS + DIRECTIONS % 2
"""Jacobi's rotations take rows in pairs: an odd matrix gets a row and column of its own."""
_SWEEPS: Final = 12
"""Each turns every pair of rows once. Off the diagonal, rounding is left after 8 of 49 rows."""
_APART: Final = 1e6
"""Eigenvalue of the row that was added, larger than any variance of pixels in [0, 1]."""


def _pairs() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return indicators (side, side / 2) of the first and of the second row of each pair."""
    unit = np.eye(_SIDE)
    return unit[:, 0::2], unit[:, 1::2]


def _next_round() -> npt.NDArray[np.float64]:
    """Return the permutation (side, side) by which all rows meet in side - 1 rounds.

    The circle method of tournaments: the first stays, all others move on by one.
    """
    first, second = list(range(0, _SIDE, 2)), list(range(1, _SIDE, 2))
    first, second = [first[0], second[0], *first[1:-1]], [*second[1:], first[-1]]
    order = [row for pair in zip(first, second, strict=True) for row in pair]
    return np.eye(_SIDE)[:, order]


_P, _Q = (onnxscript.tensor(each) for each in map(np.ascontiguousarray, _pairs()))
_NEXT = onnxscript.tensor(_next_round())
