"""Eigenvectors in ONNX, which has no operator for them, as a function of Jacobi rotations.

Each round rotates 25 pairs of rows at once to make the elements off the diagonal between them
vanish. After 49 rounds every row has met every other; after a few such sweeps only rounding is left
[1]_.

References
----------
.. [1] G. H. Golub and C. F. Van Loan, "Matrix Computations", 4th ed., section 8.5 (2013).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from onnx import FunctionProto, helper, numpy_helper, parser

from cop_core.network.patch_pca import DIRECTIONS

DOMAIN: Final = "cop"
NAME: Final = "Eigh"
_SIDE: Final = DIRECTIONS + 1
"""Rows come in pairs: a matrix with an odd number gets one more, whose eigenvalue sorts last."""
_LAST: Final = 1e6
_SWEEPS: Final = 7
_TEXT: Final = f"""
<domain: "{DOMAIN}", opset_import: ["" : 18]>
{NAME} (matrices) => (values, vectors) {{
  square = Squeeze (matrices, axis)
  padded = Pad (square, border)
  start = Add (padded, last)
  firstT = Transpose <perm = [1, 0]> (first)
  secondT = Transpose <perm = [1, 0]> (second)
  turned, turns = Loop (rounds, going, start, eye) <body = turn (
    int64 i, bool on, double[{_SIDE},{_SIDE}] a, double[{_SIDE},{_SIDE}] v
  ) => (bool on_out, double[{_SIDE},{_SIDE}] a_out, double[{_SIDE},{_SIDE}] v_out) {{
    on_out = Identity (on)
    a_first = MatMul (a, first)
    a_second = MatMul (a, second)
    pp_all = Mul (first, a_first)
    qq_all = Mul (second, a_second)
    pq_all = Mul (first, a_second)
    pp = ReduceSum <keepdims = 0> (pp_all, axis)
    qq = ReduceSum <keepdims = 0> (qq_all, axis)
    pq = ReduceSum <keepdims = 0> (pq_all, axis)
    done = Equal (pq, zero)
    some = Where (done, one, pq)
    apart = Sub (qq, pp)
    twice = Add (some, some)
    tau = Div (apart, twice)
    below = Less (tau, zero)
    sign = Where (below, minus, one)
    tau2 = Mul (tau, tau)
    tau21 = Add (tau2, one)
    root = Sqrt (tau21)
    size = Abs (tau)
    sum = Add (size, root)
    tangent = Div (sign, sum)
    t = Where (done, zero, tangent)
    t2 = Mul (t, t)
    t21 = Add (t2, one)
    secant = Sqrt (t21)
    c = Div (one, secant)
    s = Mul (t, c)
    first_c = Mul (first, c)
    first_s = Mul (first, s)
    second_c = Mul (second, c)
    second_s = Mul (second, s)
    cc = MatMul (first_c, firstT)
    dd = MatMul (second_c, secondT)
    ss = MatMul (first_s, secondT)
    rr = MatMul (second_s, firstT)
    both = Add (cc, dd)
    cross = Sub (ss, rr)
    rotation = Add (both, cross)
    moved = MatMul (rotation, next)
    movedT = Transpose <perm = [1, 0]> (moved)
    a_moved = MatMul (a, moved)
    a_out = MatMul (movedT, a_moved)
    v_out = MatMul (v, moved)
  }}>
  on_diagonal = Mul (turned, eye)
  diagonal = ReduceSum <keepdims = 0> (on_diagonal, axis)
  sorted, order = TopK <largest = 0, sorted = 1> (diagonal, many)
  own = Slice (turns, axis, many, axis)
  ranked = Gather <axis = 1> (own, order)
  values = Unsqueeze (sorted, axis)
  vectors = Unsqueeze (ranked, axis)
}}
"""


def eigh_function() -> FunctionProto:
    """Return ``cop.Eigh``: ascending values (1, 49) and vectors of symmetric doubles (1, 49, 49).

    Equal to `torch.linalg.eigh`, except for the signs of vectors.
    """
    function = parser.parse_function(_TEXT)
    for name, value in _constants().items():
        tensor = numpy_helper.from_array(np.array(value, order="C"))
        function.node.insert(0, helper.make_node("Constant", [], [name], value=tensor))
    return function


def _constants() -> dict[str, npt.NDArray[np.generic]]:
    eye = np.eye(_SIDE)
    last = np.zeros(_SIDE)
    last[-1] = _LAST
    return {
        "eye": eye,
        "first": eye[:, 0::2],
        "second": eye[:, 1::2],
        "next": eye[:, _next_round()],
        "last": np.diag(last),
        "zero": np.array(0.0),
        "one": np.array(1.0),
        "minus": np.array(-1.0),
        "axis": np.array([0]),
        "border": np.array([0, 0, 1, 1]),
        "many": np.array([DIRECTIONS]),
        "rounds": np.array(_SWEEPS * (_SIDE - 1)),
        "going": np.array(True),
    }


def _next_round() -> list[int]:
    """Return the order of rows after a round: the first stays, all others move on by one.

    All pairs then meet once in a sweep, as in a tournament (circle method).
    """
    first, second = list(range(0, _SIDE, 2)), list(range(1, _SIDE, 2))
    first, second = [first[0], second[0], *first[1:-1]], [*second[1:], first[-1]]
    return [row for pair in zip(first, second, strict=True) for row in pair]
