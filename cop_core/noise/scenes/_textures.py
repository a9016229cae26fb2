"""Textures, anti-aliased down to the pixel scale, and dead leaves filled with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cop_core.noise.scenes._rendering import (
    Image,
    blur,
    faint_shading,
    grid,
    log_uniform,
    scatter,
    segments,
    smooth_field,
    spectral_field,
    stamp,
)


def _axes(rng: np.random.Generator, size: int, warp: float) -> tuple[Image, Image]:
    """Return rotated and sometimes smoothly warped pixel coordinates."""
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
    """Map a mask to two random greys, sometimes only in patches."""
    if rng.random() < 0.4:
        patches = smooth_field(rng, mask.shape[0], rng.uniform(1, 5)) - rng.uniform(0.2, 0.6)
        mask = mask * np.clip(patches * log_uniform(rng, 1.5, 40), 0, 1)
    dark = rng.random()
    light = dark + (rng.uniform(0.05, 1) if dark < 0.5 else -rng.uniform(0.05, 1))
    return faint_shading(rng, np.asarray(dark + (light - dark) * mask, np.float32))


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


def _leaf_textures(rng: np.random.Generator, size: int) -> list[Image]:
    """Return the textures (at twice the size) from which leaves are cut, centred on zero."""
    side = 2 * size
    fine = smooth_field(rng, side, log_uniform(rng, 20, side / 5))
    rough = 0.2 * np.kron(spectral_field(rng, size, rng.uniform(1, 2), 0.8), np.ones((2, 2)))
    draw = (gratings, weave, tiles, voronoi, wood, grass)[int(rng.integers(6))]
    regular = np.tile(np.clip(draw(rng, size), 0, 1), (2, 2))
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
    """Draw power-law radii: small leaves are the most frequent."""
    smallest, largest = log_uniform(rng, 2.5, 16), side * rng.uniform(0.08, 0.4)
    power = rng.uniform(1.2, 3.2)
    share = rng.random(int(log_uniform(rng, 25, 450)))
    low, high = smallest ** (1 - power), largest ** (1 - power)
    drawn = (low + share * (high - low)) ** (1 / (1 - power))
    return np.asarray(drawn, np.float64)


def dead_leaves(rng: np.random.Generator, size: int) -> Image:
    """Pile up leaves at twice the size and average them down."""
    side = 2 * size
    base = smooth_field(rng, side, rng.uniform(1, 4)) * rng.uniform(0, 0.5)
    canvas = np.asarray(base + rng.uniform(0, 0.6), np.float32)
    textures = _leaf_textures(rng, size)
    textured, tone, kinds = rng.random(), rng.uniform(0.4, 2.5), rng.dirichlet([0.5, 0.5, 0.3])
    radii = _radii(rng, side)
    if rng.random() < 0.6:
        radii = np.sort(radii)[::-1]
    for radius in radii:
        texture = textures[int(rng.integers(3))] if rng.random() < textured else None
        grey = float(rng.random() ** tone)
        _drop(rng, canvas, float(radius), grey=grey, kinds=kinds, texture=texture)
    drawn = canvas.reshape(size, 2, size, 2).mean(axis=(1, 3))
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
