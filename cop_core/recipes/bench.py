"""Recipe of a speed measurement."""

from __future__ import annotations

from typing import Annotated, Literal

from cop_core.recipes.base import Option, Recipe
from cop_core.recipes.reading import Device, Precision, Weights
from cop_core.recipes.values import Count


class BenchRecipe(Recipe):
    """A measurement of this machine's reading speed, compared with what its hardware can do."""

    kind: Literal["bench"] = "bench"
    weights: Weights = "default"
    device: Device = "auto"
    precision: Precision = "auto"
    planes: Annotated[Count, Option("Number of planes to read.", "Planes")] = 64
    side: Annotated[Count, Option("Side length of the planes, in pixels.", "Side")] = 512
