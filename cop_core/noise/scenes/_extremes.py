"""Scenes at the ends of the range: near-white, clipped, bright and dense, filled at edges."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes import _biology, _line_art, _random_fields, _textures
from cop_core.noise.scenes._rendering import (
    Family,
    Image,
    blobs,
    blur,
    faint_shading,
    grid,
    log_uniform,
    scatter,
    segments,
    smooth_field,
    spectral_field,
    stamp,
    unit,
    walks,
)


def drawing(rng: np.random.Generator, size: int) -> Image:
    """Draw outlines, hatching and pencil tone, dark to faint, on paper that is mostly white."""
    cover = np.zeros((size, size), np.float32)
    if rng.random() < 0.6:
        _line_art.draw_strokes(rng, cover)
    _outline(rng, cover)
    for _ in range(int(rng.integers(0, 8))):
        _hatch(rng, cover)
    ink = log_uniform(rng, 0.1, 1) * blur(cover, rng.uniform(0.3, 1.2))
    page = _paper(rng, size) - ink - _tone(rng, size)
    return np.asarray(page * rng.uniform(1, 1.4) if rng.random() < 0.3 else page, np.float32)


def _paper(rng: np.random.Generator, size: int) -> Image:
    """Return exactly white paper, or paper a little below white."""
    if rng.random() < 0.6:
        return np.ones((size, size), np.float32)
    return faint_shading(rng, np.full((size, size), rng.uniform(0.88, 1), np.float32))


def _outline(rng: np.random.Generator, cover: Image) -> None:
    """Draw the rims of a few shapes."""
    size, count = cover.shape[0], int(rng.integers(1, 12))
    radii, ring = size * rng.uniform(0.03, 0.4, count), log_uniform(rng, 0.4, 2.5)
    values = rng.uniform(0.3, 1, count)
    blobs(rng, cover, scatter(rng, count, size), radii, values, ring=ring, squash=rng.random())


def _hatch(rng: np.random.Generator, cover: Image) -> None:
    """Draw a patch of near-parallel strokes whose pressure varies."""
    size, count = cover.shape[0], int(log_uniform(rng, 10, 150))
    middle, angle = rng.uniform(0, size, 2), rng.uniform(0, np.pi)
    along = np.array([np.sin(angle), np.cos(angle)])
    aside = along[::-1] * [1, -1]
    length = size * rng.uniform(0.05, 0.3)
    shift = rng.uniform(-0.5, 0.5, (count, 1)) * count * log_uniform(rng, 1.5, 5)
    roots = middle + shift * aside + rng.standard_normal((count, 2)) * 2
    tips = roots + along * length * rng.uniform(0.6, 1, (count, 1))
    points, owner = segments(np.stack([roots, tips], axis=1))
    stamp(cover, points, log_uniform(rng, 0.3, 1.2), rng.uniform(0.2, 1, count)[owner])


def _tone(rng: np.random.Generator, size: int) -> Image:
    """Return the darkening by rubbed pencil: zero over most of the paper."""
    patches = np.clip(smooth_field(rng, size, rng.uniform(1, 6)) - rng.uniform(0.4, 0.9), 0, None)
    depth = log_uniform(rng, 0.02, 1.2) * float(rng.random() < 0.6)
    grain = 0.25 * rng.random() * spectral_field(rng, size, rng.uniform(0.8, 2), 0.8)
    return np.asarray(depth * patches * np.clip(1 + grain, 0, None), np.float32)


def stretched(rng: np.random.Generator, size: int) -> Image:
    """Render fields, roads and rough ground from above, stretched until both ends clip."""
    fields = (_textures.voronoi, _textures.tiles, _textures.dead_leaves, _random_fields.fractal)
    ground = np.clip(fields[int(rng.integers(4))](rng, size), 0, 1)
    rough = spectral_field(rng, size, rng.uniform(0.7, 2), log_uniform(rng, 0.6, 2))
    patches = np.clip(smooth_field(rng, size, rng.uniform(1, 12)) - rng.uniform(0.1, 0.6), 0, 1)
    land = np.asarray(ground + rng.uniform(0, 0.6) * patches * rough, np.float32)
    roads = np.zeros_like(land)
    if rng.random() < 0.5:
        _line_art.draw_strokes(rng, roads)
    land = blur(land + rng.uniform(-1, 1) * roads, log_uniform(rng, 0.5, 1.5))
    low, high = np.quantile(land, [rng.uniform(0.002, 0.3), 1 - rng.uniform(0.002, 0.3)])
    return np.asarray((land - low) / max(high - low, 0.02), np.float32)


def dense_fluorescence(rng: np.random.Generator, size: int) -> Image:
    """Fill cells with filaments, short rods and spots, exposed until the brightest saturate."""
    canvas = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        _filaments(rng, canvas)
    light = blur(canvas, log_uniform(rng, 0.6, 2.5))
    light = light + rng.uniform(0, 0.8) * blur(canvas, log_uniform(rng, 4, 30))
    shape = smooth_field(rng, size, rng.uniform(1, 4)) - rng.uniform(0, 0.5)
    cells = np.clip(shape * log_uniform(rng, 2, 60), 0, 1)
    body = rng.uniform(0, 0.3) * smooth_field(rng, size, rng.uniform(1, 6))
    light = unit(np.asarray(cells * (unit(light) + body), np.float32)) ** rng.uniform(0.5, 1.2)
    return np.asarray(light * log_uniform(rng, 0.4, 2) + rng.uniform(0, 0.3) ** 2, np.float32)


def _filaments(rng: np.random.Generator, canvas: Image) -> None:
    """Draw many walks of one kind, from spots over rods to fibres that cross the image."""
    size = canvas.shape[0]
    steps = int(log_uniform(rng, 1, size))
    count = int(np.clip(log_uniform(rng, 0.05, 0.6) * size**2 / (3 * steps), 8, 2500))
    headings = rng.uniform(0, 6.3) + rng.standard_normal(count) * rng.choice([0.1, 0.4, 4.0])
    starts, wiggle = scatter(rng, count, size), log_uniform(rng, 0.003, 0.2)
    paths = walks(rng, starts, headings, steps, pace=1.0, wiggle=wiggle)
    values = np.repeat(rng.uniform(0.05, 1, count) ** rng.uniform(0.5, 3), steps)
    stamp(canvas, paths.reshape(-1, 2), log_uniform(rng, 0.4, 3), values)


_UNFILLED: tuple[Family, ...] = (
    _biology.vessels,
    _biology.cells,
    _biology.fibres,
    _biology.tissue,
    _random_fields.fractal,
    _textures.dead_leaves,
    dense_fluorescence,
)


def filled(rng: np.random.Generator, size: int) -> Image:
    """Fill an edge, a corner or the surround of a rotated plane: black, rarely white or grey."""
    plane = _UNFILLED[int(rng.integers(len(_UNFILLED)))](rng, size)
    rows, columns = grid(size)
    angle = rng.choice([0.0, rng.uniform(-0.3, 0.3)])
    centre, reach = size * rng.uniform(0.2, 0.8, 2), size * rng.uniform(0.3, 0.7, 2)
    down, across = rows - np.float32(centre[0]), columns - np.float32(centre[1])
    inside = np.abs(np.cos(angle) * down + np.sin(angle) * across) < reach[0]
    inside &= np.abs(np.cos(angle) * across - np.sin(angle) * down) < reach[1]
    fill = [0.0, 1.0, rng.random()][int(rng.choice(3, p=[0.7, 0.1, 0.2]))]
    return np.where(inside, plane, np.float32(fill)).astype(np.float32)
