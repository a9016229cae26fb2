"""Scenes as training sees them: a family by weight, then tone, pose and colour."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes._fields import Image, faint_shading, log_uniform, smooth_field
from cop_core.noise.scenes._registry import FAMILIES, pick


def render(family: str, seed: int, size: int = 256) -> Image:
    """Render one scene of a family.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    seed : int
        The scene's seed; the same seed gives the same pixels.
    size : int, default 256
        The side of the square image in pixels.

    Returns
    -------
    ndarray of float32, shape (size, size)
        A noise-free grey image within [0, 1].
    """
    return FAMILIES[family](np.random.default_rng(seed), size)


def _retone(rng: np.random.Generator, image: Image) -> Image:
    """Change gamma, contrast, offset, clipping and polarity at random."""
    if rng.random() < 0.25:
        image = 1 - image
    if rng.random() < 0.6:
        image = image ** np.float32(log_uniform(rng, 0.4, 2.5))
    change = rng.random()
    if change < 0.2:
        low, high = np.quantile(image, [rng.uniform(0, 0.3), rng.uniform(0.7, 1)])
        image = (image - low) / max(high - low, 0.02)
    elif change < 0.6:
        span = rng.uniform(0.15, 1)
        image = rng.uniform(0, 1 - span) + span * image
    elif change < 0.7:
        image = image * rng.uniform(1, 2.5) - rng.uniform(0, 0.4)
    return np.clip(image, 0, 1).astype(np.float32)


def _pose(rng: np.random.Generator, image: Image) -> Image:
    """Flip and turn by right angles."""
    turned = np.rot90(image, int(rng.integers(4)))
    return np.ascontiguousarray(turned[::-1] if rng.random() < 0.5 else turned)


def random_scene(rng: np.random.Generator, size: int = 256) -> Image:
    """Render a scene of a random family with a random tone and pose.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where every choice is drawn from.
    size : int, default 256
        The side of the square image in pixels.

    Returns
    -------
    ndarray of float32, shape (size, size)
        A noise-free grey image within [0, 1].
    """
    return _pose(rng, _retone(rng, FAMILIES[pick(rng)](rng, size)))


def colour_scene(rng: np.random.Generator, size: int = 256) -> Image:
    """Render a colour scene from correlated grey structures.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where every choice is drawn from.
    size : int, default 256
        The side of the square image in pixels.

    Returns
    -------
    ndarray of float32, shape (size, size, 3)
        A noise-free colour image within [0, 1].
    """
    grey = random_scene(rng, size)
    if rng.random() < 0.4:
        return _palette(rng, grey)
    return _tint(rng, grey, random_scene(rng, size) if rng.random() < 0.5 else None)


def _palette(rng: np.random.Generator, grey: Image) -> Image:
    """Run every grey level through a smooth random palette that keeps its lightness order."""
    knots = int(rng.integers(3, 9))
    levels = np.linspace(0, 1, knots)
    colours = levels[:, None] + rng.uniform(0.1, 0.8) * rng.uniform(-1, 1, (knots, 3))
    colours = np.clip(colours, 0, 1)
    channels = [np.interp(grey, levels, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _tint(rng: np.random.Generator, grey: Image, other: Image | None) -> Image:
    """Mix two structures, or one and a smooth hue, with a tint for each channel."""
    size = grey.shape[0]
    hue = smooth_field(rng, size, rng.uniform(1, 8)) if other is None else other
    tints = rng.uniform(0.4, 1.2, 3)
    shares = rng.uniform(0, 0.6, 3)
    channels = [
        faint_shading(rng, np.asarray(tint * ((1 - share) * grey + share * grey * hue), np.float32))
        if other is None
        else np.asarray(tint * ((1 - share) * grey + share * hue), np.float32)
        for tint, share in zip(tints, shares, strict=True)
    ]
    return np.clip(np.stack(channels, axis=-1), 0, 1).astype(np.float32)
