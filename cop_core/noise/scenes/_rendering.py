"""Random fields and anti-aliased drawing, from which every family is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.ndimage import gaussian_filter, uniform_filter

Image: TypeAlias = npt.NDArray[np.float32]
Points: TypeAlias = npt.NDArray[np.float64]
Family: TypeAlias = Callable[[np.random.Generator, int], Image]
"""(generator, side in pixels) -> grey image (side, side)."""


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
    """Blur with a Gaussian, approximated by three box filters if it is wide."""
    if sigma <= 4.0:
        return np.asarray(gaussian_filter(image, sigma, mode="nearest", truncate=3.5), np.float32)
    width = round(float(np.sqrt(4.0 * sigma**2 + 1.0)))
    for _ in range(3):
        image = uniform_filter(image, width, mode="nearest")
    return image


def _spline_basis(size: int, cells: float, offset: float) -> Image:
    """Return cubic B-spline weights (size, knots) for an axis cut into cells."""
    position = offset + cells * np.arange(size) / size
    knots = np.arange(int(np.ceil(cells)) + 4) - 1.0
    distance = np.abs(position[:, None] - knots[None, :])
    near = 2.0 / 3.0 - distance**2 + 0.5 * distance**3
    far = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    return np.where(distance < 1.0, near, far).astype(np.float32)


def smooth_field(rng: np.random.Generator, size: int, rows: float, columns: float = 0.0) -> Image:
    """Return a smooth random field in [0, 1] that varies over so many cells per side."""
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
    """Add, most times, a smooth shading of a few thousandths: no fill is then quite flat."""
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


def stamp(
    canvas: Image, points: Points, radius: Points | float, value: Points | float = 1.0
) -> None:
    """Paint discs, in place, each pixel keeping the brightest disc that covers it."""
    radii = np.broadcast_to(np.asarray(radius, np.float64), len(points))
    values = np.broadcast_to(np.asarray(value, np.float64), len(points))
    reach = np.ceil(radii + 1.0).astype(int)
    reach = np.where(reach > 3, 2 ** np.ceil(np.log2(reach)).astype(int), reach)
    for span in np.unique(reach):
        chosen = reach == span
        _stamp_alike(canvas, points[chosen], radii[chosen], values[chosen], int(span))


def _stamp_alike(canvas: Image, points: Points, radii: Points, values: Points, span: int) -> None:
    """Paint discs that fit into the same window."""
    size = canvas.shape[0]
    offsets = np.arange(-span, span + 1)
    corner = np.rint(points).astype(np.int64)
    rows = corner[:, 0, None, None] + offsets[None, :, None]
    columns = corner[:, 1, None, None] + offsets[None, None, :]
    distance = np.hypot(rows - points[:, 0, None, None], columns - points[:, 1, None, None])
    thin = np.minimum(radii, 0.5)[:, None, None] * 2.0
    cover = np.clip(np.maximum(radii, 0.5)[:, None, None] + 0.5 - distance, 0.0, 1.0) * thin
    inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size) & (cover > 0)
    index = (rows * size + columns)[inside]
    paint = (cover * values[:, None, None])[inside].astype(np.float32)
    np.maximum.at(canvas.reshape(-1), index, paint)


def walks(
    rng: np.random.Generator,
    starts: Points,
    headings: Points,
    steps: int,
    *,
    pace: float,
    wiggle: float,
) -> Points:
    """Return smooth random walks (walks, steps, 2) whose heading drifts by ``wiggle``."""
    turns = rng.standard_normal((len(starts), steps)) * wiggle
    angle = headings[:, None] + np.cumsum(turns, axis=1)
    moves = pace * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    return np.asarray(starts[:, None, :] + np.cumsum(moves, axis=1), np.float64)


def tree(
    rng: np.random.Generator, canvas: Image, start: Points, heading: float, radius: float
) -> None:
    """Draw a branching tree whose branches thin out towards their tips."""
    size = canvas.shape[0]
    wiggle, decay = rng.uniform(0.01, 0.12), rng.uniform(0.55, 0.85)
    starts, headings, radii = start[None, :], np.array([heading]), np.array([radius])
    steps = int(size * rng.uniform(0.25, 0.9))
    for _ in range(int(rng.integers(2, 5))):
        paths = walks(rng, starts, headings, steps, pace=1.0, wiggle=wiggle)
        taper = np.linspace(1.0, decay, steps)[None, :] * radii[:, None]
        stamp(canvas, paths.reshape(-1, 2), taper.reshape(-1))
        forks = rng.integers(steps // 8, steps, size=(len(paths), int(rng.integers(2, 5))))
        starts = np.concatenate([path[fork] for path, fork in zip(paths, forks, strict=True)])
        spread = rng.uniform(0.3, 1.2, forks.size) * rng.choice([-1.0, 1.0], forks.size)
        headings = np.repeat(headings, forks.shape[1]) + spread
        radii = np.maximum(np.repeat(radii, forks.shape[1]) * decay * rng.uniform(0.5, 1), 0.3)
        steps = max(int(steps * rng.uniform(0.4, 0.8)), 9)


def segments(ends: Points, spacing: float = 0.5) -> tuple[Points, npt.NDArray[np.int64]]:
    """Return points along straight segments (count, 2 ends, 2) and each one's segment."""
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    counts = np.maximum((length / spacing).astype(np.int64), 1) + 1
    owner = np.repeat(np.arange(len(ends)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    share = ((np.arange(len(owner)) - first) / np.repeat(counts - 1, counts))[:, None]
    return ends[owner, 0] * (1 - share) + ends[owner, 1] * share, owner


def ellipse(size: int, centre: Points, axes: Points, angle: float, softness: float = 1.0) -> Image:
    """Return the coverage of a whole-image ellipse with an edge ``softness`` pixels wide."""
    rows, columns = grid(size)
    down, across = rows - np.float32(centre[0]), columns - np.float32(centre[1])
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = (cosine * down + sine * across) / np.float32(axes[0])
    aside = (cosine * across - sine * down) / np.float32(axes[1])
    depth = (1.0 - np.hypot(along, aside)) * np.float32(min(axes) / softness)
    return np.clip(depth + 0.5, 0.0, 1.0).astype(np.float32)


def blobs(
    rng: np.random.Generator,
    canvas: Image,
    centres: Points,
    radii: Points,
    values: Points,
    *,
    ring: float = 0.0,
    squash: float = 0.5,
) -> None:
    """Paint irregular blobs in local windows; ``ring`` above zero paints membranes only."""
    size = canvas.shape[0]
    for centre, radius, value in zip(centres, radii, values, strict=True):
        reach = int(np.ceil(1.6 * radius + ring)) + 2
        top, left = (np.maximum(centre - reach, 0)).astype(int)
        bottom, right = np.clip(centre + reach + 1, 0, size).astype(int)
        if top >= bottom or left >= right:
            continue
        down = np.arange(top, bottom)[:, None] - centre[0]
        across = np.arange(left, right)[None, :] - centre[1]
        angle = np.arctan2(down, across)
        lobes = 1 + 0.5 * squash * np.cos(2 * angle + rng.uniform(0, 6.3))
        lobes += 0.15 * squash * np.cos(3 * angle + rng.uniform(0, 6.3))
        depth = radius * lobes - np.hypot(down, across)
        cover = np.clip((ring - np.abs(depth) if ring else depth) + 0.5, 0.0, 1.0)
        window = canvas[top:bottom, left:right]
        window += (cover * (value - window)).astype(np.float32)


def scatter(rng: np.random.Generator, count: int, size: int) -> Points:
    """Return positions drawn uniformly over the image."""
    return rng.uniform(-4.0, size + 4.0, (count, 2))
