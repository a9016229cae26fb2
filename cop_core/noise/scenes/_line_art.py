"""Line art, text, comics and sketches: strokes and flat regions."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes._rendering import (
    Image,
    Points,
    blobs,
    blur,
    faint_shading,
    log_uniform,
    scatter,
    segments,
    smooth_field,
    spectral_field,
    stamp,
    walks,
)


def _ink(rng: np.random.Generator, cover: Image, paper: Image | float | None = None) -> Image:
    """Put ink on paper: black on white, white on black or any two greys."""
    ends = [(1.0, 0.0), (0.0, 1.0), tuple(rng.random(2))][int(rng.choice(3, p=[0.4, 0.25, 0.35]))]
    ground = ends[0] if paper is None else paper
    page = np.asarray(ground + cover * (ends[1] - ground), np.float32)
    page = page if rng.random() < 0.6 else blur(page, rng.uniform(0.5, 1.8))
    return faint_shading(rng, page, 0.75)


def draw_strokes(rng: np.random.Generator, canvas: Image) -> None:
    """Draw straight lines, curves and outlines with one pen."""
    size = canvas.shape[0]
    pen = log_uniform(rng, 0.4, 3)
    count = int(log_uniform(rng, 3, 60))
    ends = np.stack([scatter(rng, count, size), scatter(rng, count, size)], axis=1)
    ends[:, 1] = ends[:, 0] + (ends[:, 1] - ends[:, 0]) * rng.uniform(0.05, 1)
    stamp(canvas, segments(ends)[0], pen)
    curves = int(rng.integers(0, 25))
    bend = rng.uniform(-0.06, 0.06, (curves, 1)) * np.ones((1, 200))
    paths = walks(
        rng, scatter(rng, curves, size), rng.uniform(0, 6.3, curves), 200, pace=0.7, wiggle=0.02
    )
    turned = np.cumsum(bend, axis=1)[..., None] * (paths[..., ::-1] - paths[:, :1, ::-1]) * 0.1
    stamp(canvas, (paths + turned * [1, -1]).reshape(-1, 2), pen * rng.uniform(0.5, 1.5))


def _alphabet(rng: np.random.Generator) -> list[Points]:
    """Invent glyphs: each a few segments between the nodes of a 4 x 3 lattice."""
    glyphs = []
    for _ in range(24):
        nodes = rng.integers([4, 3], size=(int(rng.integers(3, 8)), 2)) / [3.0, 2.0]
        nodes = nodes + rng.uniform(-0.08, 0.08, nodes.shape)
        glyphs.append(np.stack([nodes[:-1], nodes[1:]], axis=1))
    return glyphs


def draw_text(rng: np.random.Generator, canvas: Image) -> None:
    """Draw lines of glyph-like shapes."""
    size = canvas.shape[0]
    height = log_uniform(rng, 6, 50)
    width, leading = height * rng.uniform(0.4, 0.8), height * rng.uniform(1.3, 2.2)
    glyphs, slant = _alphabet(rng), rng.choice([0.0, rng.uniform(-0.4, 0.4)])
    strokes = []
    for top in np.arange(rng.uniform(0, leading), size, leading):
        indent, right = rng.uniform(0, 0.2) * size, rng.uniform(0.5, 1) * size
        for left in np.arange(indent, right, width * 1.35):
            if rng.random() < 0.82:
                glyph = glyphs[int(rng.integers(24))] * [height, width]
                glyph[..., 1] -= slant * glyph[..., 0]
                strokes.append(glyph + np.array([top, left]))
    if strokes:
        pen = max(0.45, height * rng.uniform(0.03, 0.11))
        stamp(canvas, segments(np.concatenate(strokes))[0], pen)


def line_art(rng: np.random.Generator, size: int) -> Image:
    """Draw strokes, sometimes over tinted paper."""
    cover = np.zeros((size, size), np.float32)
    draw_strokes(rng, cover)
    if rng.random() < 0.4:
        radii = size * rng.uniform(0.02, 0.25, 12)
        ring = log_uniform(rng, 0.6, 3)
        blobs(
            rng, cover, scatter(rng, 12, size), radii, np.ones(12), ring=ring, squash=rng.random()
        )
    return _ink(rng, cover)


def text(rng: np.random.Generator, size: int) -> Image:
    """Write a page of glyph-like shapes."""
    cover = np.zeros((size, size), np.float32)
    draw_text(rng, cover)
    paper = None
    if rng.random() < 0.25:
        paper = 0.4 + 0.6 * smooth_field(rng, size, rng.uniform(1, 5))
    return _ink(rng, cover, paper)


def comics(rng: np.random.Generator, size: int) -> Image:
    """Draw flat regions with outlines, panels and at times a halftone."""
    levels = rng.random(int(rng.integers(3, 8)))
    field = spectral_field(rng, size, rng.uniform(1.8, 3), rng.uniform(1, 3))
    edges = np.linspace(-1.5, 1.5, len(levels) - 1)
    slope = np.hypot(*np.gradient(field)) + np.float32(1e-3)
    steps = np.clip((field[..., None] - edges) / slope[..., None] + 0.5, 0, 1)
    page = np.asarray(levels[0] + steps @ np.diff(levels), np.float32)
    count = int(rng.integers(2, 25))
    radii, places = size * rng.uniform(0.02, 0.2, count), scatter(rng, count, size)
    blobs(rng, page, places, radii, rng.choice(levels, count), squash=rng.random())
    cover = np.zeros((size, size), np.float32)
    if rng.random() < 0.6:
        near = np.abs(field[..., None] - edges).min(axis=-1) / slope
        cover = np.clip(rng.uniform(0.5, 2) + 0.5 - near, 0, 1).astype(np.float32)
    if rng.random() < 0.6:
        draw_strokes(rng, cover)
    if rng.random() < 0.3:
        draw_text(rng, cover)
    return _ink(rng, cover, blur(page, 0.6))


def sketch(rng: np.random.Generator, size: int) -> Image:
    """Draw faint lines on near-white paper."""
    cover = np.zeros((size, size), np.float32)
    draw_strokes(rng, cover)
    if rng.random() < 0.3:
        draw_text(rng, cover)
    shade = smooth_field(rng, size, rng.uniform(1, 6)) ** 2 * log_uniform(rng, 5e-3, 0.2)
    faint = blur(cover, rng.uniform(0.6, 1.5)) * log_uniform(rng, 0.03, 0.6)
    return np.asarray(rng.uniform(0.92, 1.05) - shade - faint, np.float32)
