"""Loops over pixels compiled by numba, cached on disk, and free of Python's lock."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Kernel = TypeVar("Kernel", bound="Callable[..., Any]")


def compiled(kernel: Kernel) -> Kernel:
    """Compile a kernel once for all processes of a machine; it releases Python's lock."""
    made = numba.njit(nogil=True, error_model="numpy")(kernel)
    with suppress(RuntimeError):  # no folder for the cache is writable
        made.enable_caching()
    return cast("Kernel", made)


@compiled
def mirrored(x: Any, r: int) -> Any:
    """Return x (h, w), float32, padded by r pixels on every side, mirrored at the border pixels."""
    h, w = x.shape
    p = np.empty((h + 2 * r, w + 2 * r), np.float32)
    for y in range(h + 2 * r):
        line = x[h - 1 - abs(h - 1 - abs(y - r))]
        for c in range(w):
            p[y, c + r] = line[c]
        for i in range(1, r + 1):
            p[y, r - i], p[y, r + w - 1 + i] = line[i], line[w - 1 - i]
    return p
