"""Fields of amplitude 1 / f^alpha and what nonlinear remaps make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cop_core.noise.scenes._fields import (
    Image,
    blur,
    faint_shading,
    log_uniform,
    spectral_field,
    unit,
)
from cop_core.noise.scenes._registry import family

if TYPE_CHECKING:
    from collections.abc import Callable


def _remap(rng: np.random.Generator, field: Image) -> Image:
    """Bend a standardised field: steps, ridges, folds, thresholds or nothing."""
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


@family("fractal", 2.2)
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
