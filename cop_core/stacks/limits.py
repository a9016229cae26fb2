"""Limits on sizes, checked before any memory is allocated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError

if TYPE_CHECKING:
    import numpy as np

MAX_BLOCK_BYTES: Final = 768 * 2**20
"""Largest decoded plane, tile or chunk that is read, in bytes (a plane of 20,000 x 20,000 u16)."""

MAX_SLAB_BYTES: Final = 256 * 2**20
"""Largest group of planes kept because they share chunks, in bytes."""

MAX_XML_BYTES: Final = 16 * 2**20
"""Largest XML that is parsed (OME: some 60,000 planes); parsing may take 30 times its size."""

MAX_PLANES: Final = 1_000_000
"""Maximum number of planes of one file; a depth in µm is held for each of them."""

MAX_CHUNKS_PER_PLANE: Final = 16_384
"""Maximum number of chunk files of one plane."""


def require_real(dtype: np.dtype[Any], where: str) -> np.dtype[Any]:
    """Return the native form of a real integer or float dtype; refuse all others."""
    if dtype.kind not in "iuf":
        raise InputError(
            f"pixels of type {dtype} cannot be used",
            where=where,
            advice="convert to an integer or float type (of complex data, take the magnitude)",
        )
    return dtype.newbyteorder("=")


def require_block(shape: tuple[int, ...], itemsize: int, what: str, where: str) -> None:
    """Refuse a plane, tile or chunk whose decoded size is over the budget."""
    nbytes = math.prod(int(n) for n in shape) * itemsize
    if nbytes > MAX_BLOCK_BYTES:
        size = " x ".join(f"{n:,}" for n in shape)
        raise InputError(
            f"one {what} of {size} takes {nbytes / 2**30:,.1f} GiB,"
            f" more than the {MAX_BLOCK_BYTES / 2**30:g} GiB allowed",
            where=where,
            advice="check the file, or store it in smaller pieces",
        )


def require_plane_count(n_planes: int, where: str) -> None:
    """Refuse a stack that declares an absurd number of planes."""
    if n_planes > MAX_PLANES:
        raise InputError(
            f"{n_planes:,} planes are declared, more than the {MAX_PLANES:,} allowed",
            where=where,
            advice="check the file's metadata",
        )
