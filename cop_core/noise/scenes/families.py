"""The families of scenes, and random scenes for training: of any family, tone and pose."""

from __future__ import annotations

from typing import Final

import numpy as np

from cop_core.noise.scenes import _biology, _extremes, _line_art, _random_fields, _textures
from cop_core.noise.scenes._rendering import Family, Image, log_uniform, smooth_field, tilt


def _composite(rng: np.random.Generator, size: int) -> Image:
    """Blend, occlude or multiply two families and shade the result."""
    plain = [FAMILIES[name] for name in _WEIGHTED if name != "composite"]
    first, second = (plain[int(rng.integers(len(plain)))](rng, size) for _ in range(2))
    way = rng.random()
    if way < 0.6:
        mask = _mask(rng, size)
        image = first + mask * (second - first)
    elif way < 0.8:
        image = first * (1 - rng.uniform(0.3, 1) * (1 - second))
    else:
        image = first + rng.uniform(0.2, 1) * second * (1 - first)
    if rng.random() < 0.7:
        image = image * (rng.uniform(0.3, 1) + 0.6 * smooth_field(rng, size, rng.uniform(1, 4)))
    return np.asarray(image, np.float32)


def _mask(rng: np.random.Generator, size: int) -> Image:
    """Return a smooth or sharp mask, of blotches or a straight cut."""
    field = tilt(rng, size) if rng.random() < 0.3 else smooth_field(rng, size, rng.uniform(1, 7))
    steepness = log_uniform(rng, 1, 60)
    mask = np.clip((field - rng.uniform(0.3, 0.7)) * steepness + 0.5, 0, 1)
    return np.asarray(mask, np.float32)


_WEIGHTED: Final[dict[str, tuple[Family, float]]] = {
    "composite": (_composite, 2.5),
    "line_art": (_line_art.line_art, 1.2),
    "text": (_line_art.text, 1.2),
    "comics": (_line_art.comics, 1.4),
    "flat": (_random_fields.flat, 1.2),
    "sketch": (_line_art.sketch, 1.0),
    "saturated": (_random_fields.saturated, 0.8),
    "clipped": (_random_fields.clipped, 1.0),
    "gradient": (_random_fields.gradient, 0.8),
    "vessels": (_biology.vessels, 1.4),
    "cells": (_biology.cells, 1.4),
    "fibres": (_biology.fibres, 1.2),
    "neurons": (_biology.neurons, 1.2),
    "puncta": (_biology.puncta, 1.2),
    "tissue": (_biology.tissue, 1.6),
    "dead_leaves": (_textures.dead_leaves, 2.5),
    "gratings": (_textures.gratings, 0.8),
    "weave": (_textures.weave, 0.7),
    "tiles": (_textures.tiles, 0.9),
    "voronoi": (_textures.voronoi, 0.9),
    "wood": (_textures.wood, 0.8),
    "grass": (_textures.grass, 0.9),
    "mri": (_biology.mri, 1.0),
    "retina": (_biology.retina, 0.9),
    "histology": (_biology.histology, 1.2),
    "fractal": (_random_fields.fractal, 2.2),
}
"""Families and their relative frequencies; a seed's scenes depend on the order."""

_EXTREME: Final[dict[str, tuple[Family, float]]] = {
    "drawing": (_extremes.drawing, 3.0),
    "stretched": (_extremes.stretched, 3.0),
    "dense_fluorescence": (_extremes.dense_fluorescence, 3.0),
    "filled": (_extremes.filled, 1.0),
}
"""Families defined by their tone, which half of their scenes therefore keep."""


def _bounded(draw: Family) -> Family:
    def bounded(rng: np.random.Generator, size: int) -> Image:
        return np.clip(draw(rng, size), 0.0, 1.0).astype(np.float32, copy=False)

    return bounded


FAMILIES: Final = {name: _bounded(draw) for name, (draw, _) in (_WEIGHTED | _EXTREME).items()}
"""Every family by name."""


def random_scene(rng: np.random.Generator, size: int) -> Image:
    """Render a scene of a random family with a random tone and pose.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of every choice.
    size : int
        Side in pixels.

    Returns
    -------
    ndarray of float32, shape (size, size)
        A noise-free grey image within [0, 1].
    """
    return scene_of(draw_family(rng), rng, size)


def draw_family(rng: np.random.Generator) -> str:
    """Draw the name of a family with the frequency used in training."""
    weights = np.array([weight for _, weight in (_WEIGHTED | _EXTREME).values()])
    return list(FAMILIES)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def scene_of(family: str, rng: np.random.Generator, size: int) -> Image:
    """Render a scene of a family as `random_scene` does: with a random tone and pose."""
    scene = FAMILIES[family](rng, size)
    keeps_tone = family in _EXTREME and rng.random() < 0.5
    return _pose(rng, scene if keeps_tone else _retone(rng, scene))


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
