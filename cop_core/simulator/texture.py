"""Background that varies smoothly in three dimensions, made plane by plane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Texture:
    """A stationary Gaussian field of mean 0 and variance 1, correlated in x, y and z.

    Independent planes are drawn at knots in depth, filtered, and mixed in between with weights
    cos and sin, whose squares sum to 1, so that the variance is the same at every depth.

    Attributes
    ----------
    shape : tuple of int
        (height, width) in pixels.
    pixel_um : float
        Side of a pixel, in um.
    along_um, across_um : float
        SD of the Gaussian filter along and across `angle_rad`, in um.
    angle_rad : float
        Direction of the fibres, from the x axis.
    knot_um : float
        Distance of the knots in depth, in um.
    seed : tuple of int
        Seed of the field.
    """

    shape: tuple[int, int]
    pixel_um: float
    along_um: float
    across_um: float
    angle_rad: float
    knot_um: float
    seed: tuple[int, ...]

    def at(self, depth_um: float) -> FloatArray:
        """Field at a depth in um, as a (height, width) plane."""
        knot, between = divmod(depth_um / self.knot_um, 1.0)
        weight = 0.5 * np.pi * between
        above, below = _knot(self, int(knot)), _knot(self, int(knot) + 1)
        return np.asarray(np.cos(weight) * above + np.sin(weight) * below, np.float32)


@lru_cache(maxsize=16)
def _knot(texture: Texture, index: int) -> FloatArray:
    """Draw the independent plane at one knot, with unit variance."""
    # Seeds take no negative numbers; a knot above the pia has an odd one.
    folded = 2 * index if index >= 0 else -2 * index - 1
    white = np.random.default_rng((*texture.seed, folded)).standard_normal(texture.shape)
    spectrum = fft.rfft2(white.astype(np.float32)) * _response(texture)
    plane = fft.irfft2(spectrum, s=texture.shape)
    return np.asarray(plane / plane.std(), np.float32)


@lru_cache(maxsize=16)
def _response(texture: Texture) -> FloatArray:
    """Fourier transform of the oriented Gaussian filter, ``exp(-2 pi^2 sum (sigma f)^2)``."""
    height, width = texture.shape
    fy = fft.fftfreq(height, texture.pixel_um)[:, None]
    fx = fft.rfftfreq(width, texture.pixel_um)[None, :]
    cos, sin = np.cos(texture.angle_rad), np.sin(texture.angle_rad)
    along = texture.along_um * (cos * fx + sin * fy)
    across = texture.across_um * (cos * fy - sin * fx)
    return np.asarray(np.exp(-2.0 * np.pi**2 * (along**2 + across**2)), np.float32)
