"""Composites: two families under one mask, with shading."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes._fields import Image, log_uniform, smooth_field, tilt
from cop_core.noise.scenes._registry import FAMILIES, family


def _plain_family(rng: np.random.Generator) -> str:
    """Draw the name of a family that is not itself a composite."""
    names = [name for name in FAMILIES if name != "composite"]
    return names[int(rng.integers(len(names)))]


def _mask(rng: np.random.Generator, size: int) -> Image:
    """Return a smooth or sharp mask, of blotches or a straight cut."""
    field = tilt(rng, size) if rng.random() < 0.3 else smooth_field(rng, size, rng.uniform(1, 7))
    steepness = log_uniform(rng, 1, 60)
    mask = np.clip((field - rng.uniform(0.3, 0.7)) * steepness + 0.5, 0, 1)
    return np.asarray(mask, np.float32)


@family("composite", 2.5)
def composite(rng: np.random.Generator, size: int) -> Image:
    """Blend, occlude or multiply two families and shade the result."""
    first, second = (FAMILIES[_plain_family(rng)](rng, size) for _ in range(2))
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
