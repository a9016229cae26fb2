"""Dead leaves: occluding shapes with power-law radii."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cop_core.noise.scenes._fields import (
    Image,
    blur,
    faint_shading,
    halve,
    log_uniform,
    smooth_field,
    spectral_field,
)
from cop_core.noise.scenes._registry import FAMILIES, family


def _textures(rng: np.random.Generator, size: int) -> list[Image]:
    """Return the textures (at twice the size) that leaves take pieces of, centred on zero."""
    side = 2 * size
    fine = smooth_field(rng, side, log_uniform(rng, 20, side / 5))
    rough = 0.2 * np.kron(spectral_field(rng, size, rng.uniform(1, 2), 0.8), np.ones((2, 2)))
    name = str(rng.choice(["gratings", "weave", "tiles", "voronoi", "wood", "grass"]))
    regular = np.tile(FAMILIES[name](rng, size), (2, 2))
    return [fine - 0.5, rough.astype(np.float32), regular - regular.mean()]


def _cover(rng: np.random.Generator, down: Image, across: Image, radius: float, kind: int) -> Image:
    """Return the coverage of one leaf: an ellipse, a polygon or a petal."""
    angle = rng.uniform(0, np.pi)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, aside = cosine * down + sine * across, cosine * across - sine * down
    squash = np.float32(rng.uniform(0.35, 1))
    if kind == 0:
        depth = radius - np.hypot(along, aside / squash)
    elif kind == 1:
        corners = np.linspace(0, 2 * np.pi, int(rng.integers(3, 8)), endpoint=False)
        sides = [np.cos(c) * along + np.sin(c) * aside / squash for c in corners]
        depth = 0.6 * radius - np.max(sides, axis=0)
    else:
        lobes = np.cos(int(rng.integers(2, 7)) * np.arctan2(aside, along))
        depth = radius * (0.75 + 0.25 * lobes) - np.hypot(along, aside)
    return np.clip(depth + 0.5, 0, 1).astype(np.float32)


def _fill(
    rng: np.random.Generator, grey: float, down: Image, across: Image, radius: float
) -> Image:
    """Return a flat, graded or striped fill."""
    kind = rng.random()
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * down + np.sin(angle) * across
    if kind < 0.4:
        return np.full(np.broadcast(down, across).shape, grey, np.float32)
    if kind < 0.75:
        return np.asarray(grey + rng.uniform(0, 0.4) * along / radius, np.float32)
    period = log_uniform(rng, 6, 6 + radius)
    return np.asarray(grey + rng.uniform(0, 0.4) * np.sin(6.2832 * along / period), np.float32)


def _radii(rng: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    """Draw power-law radii, largest number for the smallest leaves."""
    smallest, largest = log_uniform(rng, 2.5, 16), side * rng.uniform(0.08, 0.4)
    power = rng.uniform(1.2, 3.2)
    share = rng.random(int(log_uniform(rng, 25, 450)))
    low, high = smallest ** (1 - power), largest ** (1 - power)
    drawn = (low + share * (high - low)) ** (1 / (1 - power))
    return np.asarray(drawn, np.float64)


@family("dead_leaves", 2.5)
def dead_leaves(rng: np.random.Generator, size: int) -> Image:
    """Pile up leaves at twice the size and average them down."""
    side = 2 * size
    base = smooth_field(rng, side, rng.uniform(1, 4)) * rng.uniform(0, 0.5)
    canvas = np.asarray(base + rng.uniform(0, 0.6), np.float32)
    textures = _textures(rng, size)
    textured, tone, kinds = rng.random(), rng.uniform(0.4, 2.5), rng.dirichlet([0.5, 0.5, 0.3])
    radii = _radii(rng, side)
    if rng.random() < 0.6:
        radii = np.sort(radii)[::-1]
    for radius in radii:
        texture = textures[int(rng.integers(3))] if rng.random() < textured else None
        grey = float(rng.random() ** tone)
        _drop(rng, canvas, float(radius), grey=grey, kinds=kinds, texture=texture)
    drawn = halve(canvas)
    return faint_shading(rng, drawn if rng.random() < 0.5 else blur(drawn, rng.uniform(0.4, 2.5)))


def _drop(
    rng: np.random.Generator,
    canvas: Image,
    radius: float,
    *,
    grey: float,
    kinds: npt.NDArray[np.float64],
    texture: Image | None,
) -> None:
    """Drop one leaf onto the canvas, within its own window."""
    side = canvas.shape[0]
    centre = rng.uniform(0, side, 2)
    top, left = np.maximum(centre - 1.4 * radius - 2, 0).astype(int)
    bottom, right = np.minimum(centre + 1.4 * radius + 2, side).astype(int)
    down = (np.arange(top, bottom, dtype=np.float32) - np.float32(centre[0]))[:, None]
    across = (np.arange(left, right, dtype=np.float32) - np.float32(centre[1]))[None, :]
    cover = _cover(rng, down, across, radius, int(rng.choice(3, p=kinds)))
    fill = _fill(rng, grey, down, across, radius)
    if texture is not None:
        fill += np.float32(rng.uniform(0.05, 0.7)) * texture[top:bottom, left:right]
    window = canvas[top:bottom, left:right]
    window += cover * (fill - window)
