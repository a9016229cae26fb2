"""Anti-aliased drawing of points, strokes, trees and ellipses."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cop_core.noise.scenes._fields import Image, grid

Points: TypeAlias = npt.NDArray[np.float64]


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
    """Paint discs that fit the same window."""
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
