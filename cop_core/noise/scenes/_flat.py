"""Scenes with little in them: near-constant, sketch-like, saturated, hard-clipped."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes._drawing import blobs, scatter
from cop_core.noise.scenes._fields import (
    Image,
    blur,
    faint_shading,
    log_uniform,
    smooth_field,
    spectral_field,
    tilt,
)
from cop_core.noise.scenes._lineart import draw_strokes, draw_text
from cop_core.noise.scenes._registry import family


@family("flat", 1.2)
def flat(rng: np.random.Generator, size: int) -> Image:
    """Render an almost constant image with a faint gradient and perhaps a faint spot."""
    level = rng.choice([rng.random(), rng.uniform(0, 0.06), rng.uniform(0.94, 1)])
    image = level + log_uniform(rng, 1e-3, 0.2) * (tilt(rng, size) - 0.5)
    image += log_uniform(rng, 1e-3, 0.2) * (smooth_field(rng, size, rng.uniform(1, 5)) - 0.5)
    image = np.asarray(image, np.float32)
    if rng.random() < 0.5:
        count = int(rng.integers(1, 9))
        spots = np.zeros_like(image)
        radii = size * rng.uniform(0.01, 0.15, count)
        blobs(rng, spots, scatter(rng, count, size), radii, rng.uniform(-0.3, 0.3, count))
        image = image + blur(spots, log_uniform(rng, 0.6, 8))
    return image


@family("sketch", 1.0)
def sketch(rng: np.random.Generator, size: int) -> Image:
    """Draw faint lines on near-white paper."""
    cover = np.zeros((size, size), np.float32)
    draw_strokes(rng, cover)
    if rng.random() < 0.3:
        draw_text(rng, cover)
    shade = smooth_field(rng, size, rng.uniform(1, 6)) ** 2 * log_uniform(rng, 5e-3, 0.2)
    faint = blur(cover, rng.uniform(0.6, 1.5)) * log_uniform(rng, 0.03, 0.6)
    return np.asarray(rng.uniform(0.92, 1.05) - shade - faint, np.float32)


@family("saturated", 0.8)
def saturated(rng: np.random.Generator, size: int) -> Image:
    """Render an overexposed structure: most of it exactly white, or exactly black."""
    field = spectral_field(rng, size, rng.uniform(1.2, 3), log_uniform(rng, 0.8, 5))
    light = rng.uniform(0.5, 2.0) + rng.uniform(0.2, 0.8) * field
    light = np.clip(light, 0, 1).astype(np.float32)
    return light if rng.random() < 0.6 else np.asarray(1 - light, np.float32)


@family("clipped", 1.0)
def clipped(rng: np.random.Generator, size: int) -> Image:
    """Stretch a structure so hard that large areas are exactly 0 and exactly 1."""
    cells = log_uniform(rng, 2, size / 6)
    field = smooth_field(rng, size, cells, cells * log_uniform(rng, 0.5, 2)) - 0.5
    if rng.random() < 0.5:
        field = 0.15 * spectral_field(rng, size, rng.uniform(1.2, 3), log_uniform(rng, 0.8, 4))
    ends = np.sort(rng.uniform(-0.35, 0.35, 2))
    image = (field - ends[0]) / (ends[1] - ends[0] + 0.02)
    return np.asarray(image, np.float32)


@family("gradient", 0.8)
def gradient(rng: np.random.Generator, size: int) -> Image:
    """Render smooth gradients with a few soft or sharp shapes."""
    image = tilt(rng, size) ** log_uniform(rng, 0.4, 3) * rng.uniform(0.1, 1)
    image += smooth_field(rng, size, rng.uniform(1, 5)) * rng.uniform(0, 0.8)
    image = np.asarray(image, np.float32)
    count = int(rng.integers(0, 8))
    radii = size * rng.uniform(0.03, 0.25, count)
    blobs(rng, image, scatter(rng, count, size), radii, rng.random(count), squash=rng.random())
    return faint_shading(rng, blur(image, log_uniform(rng, 0.6, 6)))
