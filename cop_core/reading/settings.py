"""What the user chooses in an estimation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cop_core.errors import InputError
from cop_core.reading.crops import Crops
from cop_core.reading.normalisation import Normalisation, check_normalisation

DEFAULT_NORMALISATION: Normalisation = "plane-percentile"


@dataclass(frozen=True)
class Settings:
    """What the user chooses in an estimation.

    Attributes
    ----------
    normalisation : str
        How counts become [0, 1].
    crops : int or None
        Random crops a plane, or None for the full grid.
    seed : int
        Of random crops.
    offset_counts : float or None
        The detector's zero level, where known.

    Raises
    ------
    InputError
        If the normalisation is not known or a number is out of its range.
    """

    normalisation: Normalisation = DEFAULT_NORMALISATION
    crops: Crops = None
    seed: int = 0
    offset_counts: float | None = None

    def __post_init__(self) -> None:
        check_normalisation(self.normalisation)
        if self.crops is not None and not (
            isinstance(self.crops, (int, np.integer)) and self.crops >= 1
        ):
            raise InputError(
                f"{self.crops} crops a plane", advice="Give 1 or more, or none for the grid"
            )
        if not (isinstance(self.seed, (int, np.integer)) and self.seed >= 0):
            raise InputError(f"a seed of {self.seed}", advice="Give a whole number, 0 or more")
        if self.offset_counts is not None and not math.isfinite(self.offset_counts):
            raise InputError(
                f"a detector offset of {self.offset_counts} counts",
                advice="Give the mean of a frame without light, or none",
            )
