"""Structure of a picture: whether more than noise and stray light is in it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SIGNIFICANCE: Final = 4.0
"""Standard errors by which block means must spread more than white noise would make them."""
STRUCTURE_SHARE: Final = 0.02
"""A noisy plane with less structure than this share of the median plane's holds stray light."""
_BLOCK = 8
_TOGETHER = 4
"""Rows of blocks whose variances are worked out together."""


@dataclass(frozen=True)
class Structure:
    """What of a plane's variance lies between 8x8 blocks.

    Attributes
    ----------
    sd : float
        SD of block means in counts, the part that white noise would give taken off.
    pixel_sd : float
        SD of the pixels in counts.
    significant : bool
        Whether block means spread by `SIGNIFICANCE` standard errors more than white noise's.
    """

    sd: float
    pixel_sd: float
    significant: bool

    def is_signal(self, least_sd: float) -> bool:
        """Tell whether it is more than noise and more than stray light, with SDs below `least_sd`.

        Stray light is below half of the pixels' SD too.
        """
        return self.significant and not (self.sd < least_sd and self.sd < self.pixel_sd / 2)


def least_structure(planes: Iterable[Structure]) -> float:
    """Return the SD in counts below which noisy planes of a stack hold stray light."""
    present = [plane.sd for plane in planes if plane.significant]
    return STRUCTURE_SHARE * float(np.median(present)) if present else 0.0


def structure(picture: npt.NDArray[Any]) -> Structure:
    """Measure the structure of pixels; fewer than two blocks a side count as structured."""
    rows, columns = (side // _BLOCK for side in picture.shape)
    pixel_sd = float(picture.std(dtype=np.float64))
    if rows < 2 or columns < 2:
        return Structure(pixel_sd, pixel_sd, True)
    data = picture[: rows * _BLOCK, : columns * _BLOCK]
    centre, n = data.mean(dtype=np.float64), _BLOCK**2
    sums, squares = np.empty((2, rows, columns))
    for start in range(0, rows, _TOGETHER):  # a strip stays in the cache
        strip = slice(start, start + _TOGETHER)
        some = data[start * _BLOCK : (start + _TOGETHER) * _BLOCK] - centre
        sums[strip], squares[strip] = _block_sums(some), _block_sums(some * some)
    means, variances = sums / n, (squares - sums**2 / n) / (n - 1)
    noise = float(variances.mean()) / _BLOCK**2
    excess = float(means.var(ddof=1)) - noise
    error = noise * math.sqrt(2 / (rows * columns))
    return Structure(math.sqrt(max(0.0, excess)), pixel_sd, excess > SIGNIFICANCE * error)


def _block_sums(data: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lines: npt.NDArray[np.float64] = data.reshape(-1, _BLOCK, data.shape[1]).sum(axis=1)
    return np.asarray(lines.reshape(len(lines), -1, _BLOCK).sum(axis=2))
