"""Regular and irregular textures, anti-aliased down to the pixel scale."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes._drawing import scatter, segments, stamp
from cop_core.noise.scenes._fields import (
    Image,
    blur,
    faint_shading,
    grid,
    log_uniform,
    smooth_field,
)
from cop_core.noise.scenes._registry import family


def _axes(rng: np.random.Generator, size: int, warp: float) -> tuple[Image, Image]:
    """Return turned and, at times, smoothly warped pixel coordinates."""
    rows, columns = grid(size)
    angle = rng.choice([0.0, rng.uniform(0, np.pi)])
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    down, across = cosine * rows + sine * columns, cosine * columns - sine * rows
    if rng.random() < 0.6:
        cells = rng.uniform(1, 6)
        down = down + warp * smooth_field(rng, size, cells)
        across = across + warp * smooth_field(rng, size, cells)
    return np.asarray(down, np.float32), np.asarray(across, np.float32)


def _band(position: Image, period: float, duty: float) -> Image:
    """Return an anti-aliased square wave that is one for a share ``duty`` of its period."""
    phase = np.abs(np.mod(position / period, 1.0) - 0.5)
    return np.asarray(np.clip((duty / 2 - phase) * period + 0.5, 0.0, 1.0), np.float32)


def _tones(rng: np.random.Generator, mask: Image) -> Image:
    """Map a mask, at times in patches only, between two random greys."""
    if rng.random() < 0.4:
        patches = smooth_field(rng, mask.shape[0], rng.uniform(1, 5)) - rng.uniform(0.2, 0.6)
        mask = mask * np.clip(patches * log_uniform(rng, 1.5, 40), 0, 1)
    dark = rng.random()
    light = dark + (rng.uniform(0.05, 1) if dark < 0.5 else -rng.uniform(0.05, 1))
    return faint_shading(rng, np.asarray(dark + (light - dark) * mask, np.float32))


@family("gratings", 0.8)
def gratings(rng: np.random.Generator, size: int) -> Image:
    """Draw sinusoidal or square gratings, alone, crossed or with a drifting pitch."""
    total = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        down, _across = _axes(rng, size, rng.uniform(1, 60))
        period = log_uniform(rng, 2.6, 80)
        sine = 0.5 + 0.5 * np.sin(2 * np.pi * down / period)
        square = _band(down, max(period, 4.0), rng.uniform(0.2, 0.8))
        wave = sine if rng.random() < 0.5 else square
        total = total * wave if rng.random() < 0.3 and total.any() else total + wave
    envelope = smooth_field(rng, size, rng.uniform(1, 5)) if rng.random() < 0.5 else 1.0
    return _tones(rng, np.asarray(total / max(float(total.max()), 0.1) * envelope, np.float32))


@family("weave", 0.7)
def weave(rng: np.random.Generator, size: int) -> Image:
    """Draw cloth: threads that pass over and under each other."""
    down, across = _axes(rng, size, rng.uniform(0, 25))
    pitch, twist = log_uniform(rng, 4, 40), rng.uniform(0.6, 1.6)
    warp_thread = np.abs(np.sin(np.pi * across / pitch))
    weft_thread = np.abs(np.sin(np.pi * down / (pitch * twist)))
    over = np.sin(np.pi * across / pitch) * np.sin(np.pi * down / (pitch * twist))
    above = np.clip(0.5 + over * rng.uniform(1, pitch), 0, 1)
    cloth = rng.uniform(0.4, 1) * warp_thread * above + rng.uniform(0.4, 1) * weft_thread * (
        1 - above
    )
    cloth = cloth ** rng.uniform(0.5, 2) * (0.6 + 0.4 * smooth_field(rng, size, rng.uniform(1, 9)))
    return _tones(rng, np.asarray(cloth, np.float32))


@family("tiles", 0.9)
def tiles(rng: np.random.Generator, size: int) -> Image:
    """Draw bricks, tiles or a checkerboard, each tile with its own grey."""
    down, across = _axes(rng, size, rng.uniform(0, 12))
    height = log_uniform(rng, 5, 60)
    width = height * rng.uniform(0.7, 3)
    row = np.floor(down / height)
    shifted = across + rng.choice([0.0, 0.5, rng.random()]) * width * row
    column = np.floor(shifted / width)
    table = rng.random((64, 64), dtype=np.float32)
    brick = table[row.astype(int) % 64, column.astype(int) % 64]
    joint = log_uniform(rng, 0.8, 5)
    mortar = np.maximum(
        _band(down + height / 2, height, joint / height),
        _band(shifted + width / 2, width, joint / width),
    )
    face, spread, line = rng.random(), rng.uniform(0, 0.6), rng.random()
    body = face + spread * (brick - 0.5) + rng.uniform(0, 0.3) * smooth_field(rng, size, 40)
    drawn = np.asarray(body + mortar * (line - body), np.float32)
    return faint_shading(rng, blur(drawn, rng.uniform(0.6, 1.2)))


@family("voronoi", 0.9)
def voronoi(rng: np.random.Generator, size: int) -> Image:
    """Draw cells of a jittered lattice: filled, outlined or domed."""
    down, across = _axes(rng, size, rng.uniform(0, 20))
    pitch = log_uniform(rng, 5, 70)
    down, across = down / np.float32(pitch), across / np.float32(pitch)
    jitter = rng.uniform(0.2, 1)
    nearest, second, grey = _two_nearest(rng, down, across, jitter)
    border = np.clip((second - nearest) * pitch / 2 - log_uniform(rng, 0.3, 4) + 0.5, 0, 1)
    dome = np.clip(1 - nearest * rng.uniform(0.5, 1.3), 0, 1) ** rng.uniform(0.5, 2)
    flat, domed, line = rng.dirichlet([0.6, 0.6, 0.6])
    cells = flat * grey + domed * dome + line
    floor = rng.choice([0.0, rng.random()])
    return faint_shading(rng, blur(np.asarray(floor + border * (cells - floor), np.float32), 0.6))


def _two_nearest(
    rng: np.random.Generator, down: Image, across: Image, jitter: float
) -> tuple[Image, Image, Image]:
    """Return distances to the two nearest seeds and the grey of the nearest."""
    table = rng.random((3, 64, 64), dtype=np.float32)
    row, column = np.floor(down).astype(np.int32), np.floor(across).astype(np.int32)
    nearest = np.full(down.shape, np.inf, np.float32)
    second, grey = nearest.copy(), np.zeros_like(nearest)
    for step in np.ndindex(3, 3):
        r, c = row + (step[0] - 1), column + (step[1] - 1)
        seeds = table[:, r & 63, c & 63]
        away = np.hypot(
            r + 0.5 + jitter * (seeds[0] - 0.5) - down, c + 0.5 + jitter * (seeds[1] - 0.5) - across
        ).astype(np.float32)
        closer = away < nearest
        second = np.minimum(second, np.maximum(away, nearest))
        grey = np.where(closer, seeds[2], grey)
        nearest = np.minimum(nearest, away)
    return nearest, second, grey


@family("wood", 0.8)
def wood(rng: np.random.Generator, size: int) -> Image:
    """Draw warped stripes as in wood, marble or fingerprints."""
    down, across = _axes(rng, size, rng.uniform(5, 90))
    period = log_uniform(rng, 6, 60)
    long_warp = smooth_field(rng, size, rng.uniform(1, 4), rng.uniform(1, 10))
    phase = down / period + rng.uniform(0, 6) * long_warp + rng.choice([0, 0.3]) * across / period
    stripe = 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    profile = stripe ** log_uniform(rng, 0.7, 6)
    fine = smooth_field(rng, size, rng.uniform(4, 20), rng.uniform(30, size / 3))
    mixed = profile * (1 - rng.choice([0.0, rng.uniform(0, 0.4)]) * fine)
    return blur(_tones(rng, np.asarray(mixed, np.float32)), 0.6)


@family("grass", 0.9)
def grass(rng: np.random.Generator, size: int) -> Image:
    """Draw thousands of fine oriented strokes: grass, fur, hay, scratches."""
    count = int(log_uniform(rng, 60, 2500) * (size / 256) ** 2)
    length = log_uniform(rng, 5, 60) * min(1.0, 60 / count**0.5)
    roots = scatter(rng, count, size)
    flow = smooth_field(rng, size, rng.uniform(1, 4)) * rng.uniform(0, 4) + rng.uniform(0, 6)
    at = np.clip(roots, 0, size - 1).astype(int)
    angle = flow[at[:, 0], at[:, 1]] + rng.standard_normal(count) * rng.uniform(0, 0.5)
    tips = roots + length * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    points, owner = segments(np.stack([roots, tips], axis=1), 0.7)
    canvas = np.zeros((size, size), np.float32)
    stamp(canvas, points, log_uniform(rng, 0.4, 2), rng.uniform(0.2, 1, count)[owner])
    return _tones(rng, blur(canvas, rng.uniform(0.6, 1.1)))
