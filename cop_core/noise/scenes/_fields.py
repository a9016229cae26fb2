"""Band-limited random fields and the small arithmetic that every family shares."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.ndimage import gaussian_filter, uniform_filter

Image: TypeAlias = npt.NDArray[np.float32]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


@lru_cache(maxsize=8)
def grid(size: int) -> tuple[Image, Image]:
    """Return the row and column of every pixel centre (shared, read-only)."""
    axis = np.arange(size, dtype=np.float32)
    rows, columns = np.broadcast_arrays(axis[:, None], axis[None, :])
    return rows, columns


def unit(image: Image) -> Image:
    """Stretch an image to span exactly [0, 1]; a constant one becomes zero."""
    low, high = float(image.min()), float(image.max())
    return ((image - low) / max(high - low, 1e-6)).astype(np.float32)


def blur(image: Image, sigma: float) -> Image:
    """Blur with a Gaussian, by three box filters where it is wide."""
    if sigma <= 4.0:
        return np.asarray(gaussian_filter(image, sigma, mode="nearest", truncate=3.5), np.float32)
    width = round(float(np.sqrt(4.0 * sigma**2 + 1.0)))
    for _ in range(3):
        image = uniform_filter(image, width, mode="nearest")
    return image


def halve(image: Image) -> Image:
    """Average 2 x 2 blocks."""
    half = image.shape[0] // 2
    return np.asarray(image.reshape(half, 2, half, 2).mean(axis=(1, 3)), np.float32)


def _spline_basis(size: int, cells: float, offset: float) -> Image:
    """Return cubic B-spline weights (size, knots) for an axis cut into cells."""
    position = offset + cells * np.arange(size) / size
    knots = np.arange(int(np.ceil(cells)) + 4) - 1.0
    distance = np.abs(position[:, None] - knots[None, :])
    near = 2.0 / 3.0 - distance**2 + 0.5 * distance**3
    far = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    return np.where(distance < 1.0, near, far).astype(np.float32)


def smooth_field(rng: np.random.Generator, size: int, rows: float, columns: float = 0.0) -> Image:
    """Return a smooth random field in [0, 1] that varies over so many cells a side."""
    down = _spline_basis(size, rows, rng.random())
    across = _spline_basis(size, columns or rows, rng.random())
    knots = rng.random((down.shape[1], across.shape[1]), dtype=np.float32)
    return unit(np.asarray(down @ knots @ across.T, np.float32))


def spectral_field(
    rng: np.random.Generator, size: int, alpha: float, sigma: float, stretch: float = 1.0
) -> Image:
    """Return a standardised field of amplitude 1 / f^alpha, blurred by ``sigma`` pixels."""
    side = fft.next_fast_len(round(1.25 * size), real=True)
    white = fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    down = fft.fftfreq(side)[:, None].astype(np.float32)
    across = fft.rfftfreq(side)[None, :].astype(np.float32)
    radius2 = (down * stretch) ** 2 + (across / stretch) ** 2
    radius2[0, 0] = np.inf
    gain = radius2 ** (-alpha / 2.0) * np.exp(-2 * np.pi**2 * sigma**2 * (down**2 + across**2))
    field = fft.irfft2(white * gain.astype(np.float32), s=(side, side))[:size, :size]
    return np.asarray((field - field.mean()) / (field.std() + 1e-9), np.float32)


def faint_shading(rng: np.random.Generator, image: Image, share: float = 0.85) -> Image:
    """Add, most times, a smooth shading of a few thousandths so that no fill is quite flat."""
    if rng.random() > share:
        return image
    field = (smooth_field(rng, image.shape[0], rng.uniform(1, 6)) - 0.5) * np.float32(
        log_uniform(rng, 2e-3, 2e-2)
    )
    if rng.random() < 0.5:
        return np.asarray(image * (1.0 + field), np.float32)
    return np.asarray(image + field, np.float32)


def tilt(rng: np.random.Generator, size: int) -> Image:
    """Return a linear ramp over [0, 1] in a random direction."""
    rows, columns = grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    return unit(np.asarray(np.cos(angle) * rows + np.sin(angle) * columns, np.float32))
