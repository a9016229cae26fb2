"""Structure of an image: whether it has more than noise and stray light."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.stacks.distinct import is_short

SIGNIFICANCE: Final = 4.0
"""Standard errors by which the spread of block means must exceed that of white noise."""
STRUCTURE_SHARE: Final = 0.02
"""A noisy plane with less structure than this share of the median plane's has only stray light."""
_BLOCK = 8
_STRIP = 64 * _BLOCK
"""Number of rows processed together: a large image is not copied as a whole."""


@dataclass(frozen=True)
class Structure:
    """The part of a plane's variance between 8x8 blocks.

    Attributes
    ----------
    sd : float
        SD of block means in counts, corrected for white noise.
    pixel_sd : float
        SD of the pixels in counts.
    significant : bool
        Whether block means spread by `SIGNIFICANCE` standard errors more than for white noise.
    """

    sd: float
    pixel_sd: float
    significant: bool

    def is_signal(self, least_sd: float) -> bool:
        """Return whether it exceeds noise, and stray light, whose SDs are below `least_sd`.

        Stray light is also below half of the pixels' SD.
        """
        return self.significant and not (self.sd < least_sd and self.sd < self.pixel_sd / 2)


def least_structure(planes: Iterable[Structure]) -> float:
    """Return the SD in counts below which noisy planes of a stack have only stray light."""
    present = [plane.sd for plane in planes if plane.significant]
    return STRUCTURE_SHARE * float(np.median(present)) if present else 0.0


def structure(image: npt.NDArray[Any]) -> Structure:
    """Measure the structure of pixels; fewer than two blocks per side count as structured."""
    from cop_core.stacks.pixel_kernels import block_sums  # imports numba

    mean = float(image.mean(dtype=np.float64))
    strips = (image[start : start + _STRIP] for start in range(0, max(len(image), 1), _STRIP))
    found = [block_sums(about(strip, mean), _BLOCK) for strip in strips]
    blocks = np.concatenate([each for each, _ in found], axis=1)
    total = sum(whole for _, whole in found)
    pixel_sd = math.sqrt(max(0.0, total[1] - total[0] ** 2 / image.size) / image.size)
    (sums, squares), n = blocks, _BLOCK**2
    if min(sums.shape) < 2:
        return Structure(pixel_sd, pixel_sd, True)
    means, variances = sums / n, (squares - sums**2 / n) / (n - 1)
    noise = float(variances.mean()) / n
    excess = float(means.var(ddof=1)) - noise
    error = noise * math.sqrt(2 / sums.size)
    return Structure(math.sqrt(max(0.0, excess)), pixel_sd, excess > SIGNIFICANCE * error)


def about(pixels: npt.NDArray[Any], mean: float) -> npt.NDArray[np.float32]:
    """Return pixels minus an approximate mean: exactly for short integers, rounded for others."""
    if is_short(pixels):
        return np.asarray(np.subtract(pixels, round(mean), dtype=np.float32))
    return np.asarray(np.subtract(pixels, mean, dtype=np.float64), np.float32)


def about_mean(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return pixels minus their approximate mean."""
    return about(image, float(image.mean(dtype=np.float64)))
