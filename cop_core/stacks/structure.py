"""Structure of an image: whether more than noise and stray light is in it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.stacks.distinct import is_short

SIGNIFICANCE: Final = 4.0
"""Standard errors by which block means must spread more than white noise would make them."""
STRUCTURE_SHARE: Final = 0.02
"""A noisy plane with less structure than this share of the median plane's holds stray light."""
_BLOCK = 8
_STRIP = 64 * _BLOCK
"""Rows that are looked at together: a large image is not copied as a whole."""


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


def structure(image: npt.NDArray[Any]) -> Structure:
    """Measure the structure of pixels; fewer than two blocks a side count as structured."""
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
    """Return pixels less about a mean: short integers to the last bit, others to a rounding."""
    if is_short(pixels):
        return np.asarray(np.subtract(pixels, round(mean), dtype=np.float32))
    return np.asarray(np.subtract(pixels, mean, dtype=np.float64), np.float32)


def about_mean(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return pixels less about their own mean."""
    return about(image, float(image.mean(dtype=np.float64)))
