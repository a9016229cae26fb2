"""The register of scene families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from cop_core.noise.scenes._fields import Image

Family: TypeAlias = "Callable[[np.random.Generator, int], Image]"

FAMILIES: Final[dict[str, Family]] = {}
"""Every family by name: a generator and a size in, a grey image within [0, 1] out."""

WEIGHTS: Final[dict[str, float]] = {}
"""How often each family is drawn, relative to the others."""


def family(name: str, weight: float = 1.0) -> Callable[[Family], Family]:
    """Register a function as a family; its output is clipped to [0, 1] as float32."""

    def register(draw: Family) -> Family:
        def bounded(rng: np.random.Generator, size: int) -> Image:
            return np.clip(draw(rng, size), 0.0, 1.0).astype(np.float32, copy=False)

        FAMILIES[name] = bounded
        WEIGHTS[name] = weight
        return bounded

    return register


def pick(rng: np.random.Generator) -> str:
    """Draw the name of a family by weight."""
    names = list(WEIGHTS)
    weights = np.array([WEIGHTS[name] for name in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
