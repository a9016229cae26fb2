"""Medical look-alikes: MRI, retina and histopathology."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes._drawing import blobs, ellipse, scatter, stamp, tree, walks
from cop_core.noise.scenes._fields import (
    Image,
    blur,
    faint_shading,
    log_uniform,
    smooth_field,
    spectral_field,
    unit,
)
from cop_core.noise.scenes._registry import family


def _centre(rng: np.random.Generator, size: int, spread: float) -> np.ndarray:
    """Return a point about the middle of the image."""
    return size * (0.5 + rng.uniform(-spread, spread, 2))


@family("mri", 1.0)
def mri(rng: np.random.Generator, size: int) -> Image:
    """Render nested ellipses and folds on an exactly black background."""
    centre, angle = _centre(rng, size, 0.1), rng.uniform(0, np.pi)
    axes = size * rng.uniform(0.25, 0.5, 2)
    head = ellipse(size, centre, axes, angle)
    brain = ellipse(size, centre, axes * rng.uniform(0.75, 0.95), angle, rng.uniform(1, 4))
    folds = spectral_field(rng, size, rng.uniform(0.8, 2), rng.uniform(1, 4))
    grey = rng.uniform(0.2, 0.8) + rng.uniform(0.05, 0.3) * np.tanh(log_uniform(rng, 1, 6) * folds)
    rim, gap = rng.random(2)
    image = rim * head * (1 - gap * brain) + brain * (grey - rim * (1 - gap))
    for _ in range(int(rng.integers(0, 6))):
        spot = ellipse(
            size,
            _centre(rng, size, 0.2),
            size * rng.uniform(0.02, 0.12, 2),
            angle,
            rng.uniform(1, 6),
        )
        image = image + spot * (rng.random() - image)
    coil = rng.uniform(0.5, 1) + 0.5 * smooth_field(rng, size, rng.uniform(1, 3))
    return np.asarray(np.clip(blur(np.asarray(image, np.float32), 0.6), 0, 1) * coil * head)


@family("retina", 0.9)
def retina(rng: np.random.Generator, size: int) -> Image:
    """Render a vignetted disc with an optic disc and vessels in a black surround."""
    middle = _centre(rng, size, 0.08)
    disc = ellipse(size, middle, size * np.full(2, rng.uniform(0.38, 0.75)), 0.0, rng.uniform(1, 4))
    glow = ellipse(size, middle, size * np.full(2, 0.8), 0.0, size * rng.uniform(0.5, 2))
    nerve = _centre(rng, size, 0.25)
    tree_mask = np.zeros((size, size), np.float32)
    for heading in rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))):
        tree(rng, tree_mask, nerve, heading, log_uniform(rng, 0.7, 3))
    ground = rng.uniform(0.2, 0.7) * (0.4 + 0.6 * glow)
    ground = ground + 0.1 * rng.random() * (smooth_field(rng, size, rng.uniform(2, 30)) - 0.5)
    spot = blur(ellipse(size, nerve, size * rng.uniform(0.03, 0.1, 2), 0.0), rng.uniform(1, 4))
    image = ground + spot * rng.uniform(0, 0.6)
    depth = rng.uniform(-0.4, 0.8)
    image = image * (1 - depth * blur(tree_mask, log_uniform(rng, 0.6, 2)))
    return np.asarray(faint_shading(rng, np.asarray(image, np.float32)) * disc, np.float32)


@family("histology", 1.2)
def histology(rng: np.random.Generator, size: int) -> Image:
    """Render stained tissue: bright ground, dark nuclei, fibrous stroma and white gaps."""
    stroma = unit(spectral_field(rng, size, rng.uniform(1, 2.2), rng.uniform(0.8, 3), 1.5))
    depth = rng.uniform(0.05, 0.5)
    image = np.asarray(rng.uniform(0.7, 1) - depth * stroma, np.float32)
    _stroma_fibres(rng, image)
    radius = log_uniform(rng, 2, 14)
    count = int(np.clip(rng.uniform(0.05, 0.5) * size**2 / (3.2 * radius**2), 4, 400))
    radii = radius * np.exp(0.25 * rng.standard_normal(count))
    values = rng.uniform(0.05, 0.5) + rng.uniform(-0.08, 0.15, count)
    blobs(rng, image, scatter(rng, count, size), radii, values, squash=rng.uniform(0.1, 0.7))
    gaps = spectral_field(rng, size, rng.uniform(1.8, 3), rng.uniform(1, 3))
    lumen = np.clip((gaps - rng.uniform(0.3, 2)) * rng.uniform(2, 20), 0, 1)
    image = np.asarray(image + lumen * (rng.uniform(0.85, 1.0) - image), np.float32)
    return faint_shading(rng, blur(image, log_uniform(rng, 0.6, 2)))


def _stroma_fibres(rng: np.random.Generator, image: Image) -> None:
    """Darken the tissue, in place, along wavy parallel fibres."""
    size = image.shape[0]
    count = int(rng.integers(0, 60))
    headings = rng.uniform(0, 6.3) + 0.3 * rng.standard_normal(count)
    paths = walks(rng, scatter(rng, count, size), headings, size // 2, pace=1.0, wiggle=0.04)
    cover = np.zeros_like(image)
    stamp(cover, paths.reshape(-1, 2), log_uniform(rng, 0.5, 2))
    image -= np.float32(rng.uniform(0, 0.3)) * cover
