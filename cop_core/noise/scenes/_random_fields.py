"""Scenes of random fields alone: near-constant, saturated, hard-clipped, graded, fractal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cop_core.noise.scenes._rendering import (
    Image,
    blobs,
    blur,
    faint_shading,
    log_uniform,
    scatter,
    smooth_field,
    spectral_field,
    tilt,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Callable


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


def saturated(rng: np.random.Generator, size: int) -> Image:
    """Render an overexposed structure: most of it exactly white, or exactly black."""
    field = spectral_field(rng, size, rng.uniform(1.2, 3), log_uniform(rng, 0.8, 5))
    light = rng.uniform(0.5, 2.0) + rng.uniform(0.2, 0.8) * field
    light = np.clip(light, 0, 1).astype(np.float32)
    return light if rng.random() < 0.6 else np.asarray(1 - light, np.float32)


def clipped(rng: np.random.Generator, size: int) -> Image:
    """Stretch a structure so hard that large areas are exactly 0 and exactly 1."""
    cells = log_uniform(rng, 2, size / 6)
    field = smooth_field(rng, size, cells, cells * log_uniform(rng, 0.5, 2)) - 0.5
    if rng.random() < 0.5:
        field = 0.15 * spectral_field(rng, size, rng.uniform(1.2, 3), log_uniform(rng, 0.8, 4))
    ends = np.sort(rng.uniform(-0.35, 0.35, 2))
    image = (field - ends[0]) / (ends[1] - ends[0] + 0.02)
    return np.asarray(image, np.float32)


def gradient(rng: np.random.Generator, size: int) -> Image:
    """Render smooth gradients with a few soft or sharp shapes."""
    image = tilt(rng, size) ** log_uniform(rng, 0.4, 3) * rng.uniform(0.1, 1)
    image += smooth_field(rng, size, rng.uniform(1, 5)) * rng.uniform(0, 0.8)
    image = np.asarray(image, np.float32)
    count = int(rng.integers(0, 8))
    radii = size * rng.uniform(0.03, 0.25, count)
    blobs(rng, image, scatter(rng, count, size), radii, rng.random(count), squash=rng.random())
    return faint_shading(rng, blur(image, log_uniform(rng, 0.6, 6)))


def _remap(rng: np.random.Generator, field: Image) -> Image:
    """Transform a standardised field: steps, ridges, folds, thresholds or nothing."""
    level = rng.uniform(0.2, 1.2)
    bends: list[Callable[[], Image]] = [
        lambda: np.tanh(log_uniform(rng, 1, 12) * (field - rng.normal())),
        lambda: -np.abs(field - rng.normal() / 2),
        lambda: np.sin(rng.uniform(1, 6) * field),
        lambda: np.exp(rng.uniform(0.5, 1.5) * field),
        lambda: np.sign(field) * np.clip(np.abs(field) - level, 0, None),
        lambda: np.clip(field, -level, rng.uniform(0.2, 1.5)),
        lambda: field,
    ]
    return np.asarray(bends[int(rng.integers(len(bends)))](), np.float32)


def fractal(rng: np.random.Generator, size: int) -> Image:
    """Render one 1 / f^alpha field, or the product of two, from clouds to rough ground."""
    stretch = 1.0 if rng.random() < 0.6 else log_uniform(rng, 1, 3)
    field = spectral_field(rng, size, rng.uniform(0.8, 2.6), log_uniform(rng, 0.7, 4), stretch)
    image = unit(_remap(rng, field))
    if rng.random() < 0.4:
        other = spectral_field(rng, size, rng.uniform(1.2, 3), log_uniform(rng, 0.7, 3))
        image = image * unit(_remap(rng, other))
    low, span = rng.uniform(0, 0.5), log_uniform(rng, 0.06 if rng.random() < 0.3 else 0.4, 1.3)
    return faint_shading(rng, blur(np.asarray(low + span * image, np.float32), 0.6))
