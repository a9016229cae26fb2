"""Validity of a plane for fits, judged from its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.records.crop_grid import CROP, SMALL
from cop_core.stacks.border import WHOLE, Border, find_border
from cop_core.stacks.pile_up import SAME_SHARE, ceiling_of

SATURATED_FRACTION: Final = 0.2
"""A plane with a larger fraction of its pixels at the ceiling is left out.

Clipping hides the noise of the clipped pixels. Some clipped cell bodies are usual in a good plane;
with more than a fifth clipped, many crops show a plateau instead of noise.
"""

_ADC_BITS: Final = (8, 9, 10, 11, 12, 13, 14, 15, 16)
# full scale of a digitiser of n bits (2**n - 1); 13- and 15-bit positive ranges are those of
# signed 14- and 16-bit boards; cameras also shift 12 and 14 bits left to fill 16
ADC_CEILINGS: Final = frozenset({2**n - 1 for n in _ADC_BITS} | {4095 << 4, 16383 << 2})
"""Values at which an acquisition board plausibly clips, in counts: a few pixels there suffice."""

ALL_ZERO: Final = "unwritten or empty (all zero)"
CHUNK_ABSENT: Final = "unwritten or empty (chunk absent)"
TRUNCATED: Final = "truncated"
NOT_FINITE: Final = "not finite"
CONSTANT: Final = "constant"
SATURATED: Final = "saturated"

UNIFORM: Final = frozenset({ALL_ZERO, CONSTANT})
"""Reasons for planes with a single value, such as unwritten places."""
OF_PIXELS: Final = UNIFORM | {NOT_FINITE, SATURATED}
"""Reasons found in the pixels of a plane; any other means that it could not be read."""


@dataclass(frozen=True)
class Validity:
    """Whether a plane may enter a fit.

    Attributes
    ----------
    reason : str
        Why the plane is left out; empty if it is not.
    flags : tuple of str
        Notes on a plane that is kept, for example ``"smaller than a crop"``.
    saturated_fraction : float
        Fraction of the image's pixels at the ceiling, in [0, 1].
    border : Border
        Fill around the image.
    lossy : bool
        Whether the file states lossy compression.
    ceiling_counts : float or None
        The ceiling that pixels have reached; None if they have not.
    """

    reason: str = ""
    flags: tuple[str, ...] = ()
    saturated_fraction: float = 0.0
    border: Border = WHOLE
    lossy: bool = False
    ceiling_counts: float | None = None

    @property
    def ok(self) -> bool:
        """True if there is no reason to leave the plane out."""
        return not self.reason

    @property
    def readable(self) -> bool:
        """True if the plane's pixels could be read, whatever their values."""
        return self.ok or self.reason in OF_PIXELS

    def saturated_in(self, image: npt.NDArray[Any]) -> float:
        """Return the fraction of some of the plane's pixels at the ceiling, in [0, 1]."""
        if self.ceiling_counts is None or not image.size:
            return 0.0
        return _share_at(image, self.ceiling_counts)


def check_plane(
    data: npt.NDArray[Any], *, ceiling_counts: float | None = None, lossy: bool = False
) -> Validity:
    """Check whether the pixels of one plane can be used, and which of them are image.

    Parameters
    ----------
    data : ndarray of shape (height, width)
        Pixels as stored, of an integer or float dtype.
    ceiling_counts : float, optional
        Largest count that can be stored, if known.
    lossy : bool
        Whether its file states lossy compression.

    Returns
    -------
    Validity
        With the first applicable reason: not finite, unwritten or empty, constant, saturated.
    """
    border = find_border(data)
    image = data[border.inside(data.shape)]
    flags = size_flags(image.shape)
    if data.dtype.kind == "f" and not bool(np.isfinite(image).all()):
        return Validity(NOT_FINITE, flags, border=border, lossy=lossy)
    low, high = image.min(), image.max()
    ceiling, fraction = reached_ceiling(image, ceiling_counts)
    reason = _reason(low, high, fraction)
    return Validity(reason, flags, fraction, border, lossy, ceiling)


def size_flags(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Flag a plane that is smaller than a crop in height or width."""
    return (SMALL,) if min(shape) < CROP else ()


def reached_ceiling(
    data: npt.NDArray[Any], ceiling_counts: float | None = None
) -> tuple[float | None, float]:
    """Return the ceiling of a plane and the fraction of its pixels there, in [0, 1].

    The ceiling is that reached by most pixels among the stated one, the top of an integer type's
    range, the plane's own maximum if acquisition boards clip there (ADC_CEILINGS), and any value at
    which bright pixels pile up (`ceiling_of`).
    """
    if data.size == 0:
        return None, 0.0
    found = (ceiling_counts, _ceiling_of_boards(data), ceiling_of(data))
    shares = {counts: _share_at(data, counts) for counts in found if counts is not None}
    ceiling = max(shares, key=shares.__getitem__, default=None)
    return (ceiling, shares[ceiling]) if ceiling is not None and shares[ceiling] else (None, 0.0)


def _share_at(data: npt.NDArray[Any], ceiling: float) -> float:
    return int(np.count_nonzero(data >= ceiling - SAME_SHARE * abs(ceiling))) / data.size


def _ceiling_of_boards(data: npt.NDArray[Any]) -> float | None:
    if data.dtype.kind == "f":
        return None
    high = int(data.max())
    return high if high == np.iinfo(data.dtype).max or high in ADC_CEILINGS else None


def _reason(low: Any, high: Any, fraction: float) -> str:
    if low == 0 and high == 0:
        return ALL_ZERO
    if fraction > SATURATED_FRACTION:
        return SATURATED
    return CONSTANT if low == high else ""
