"""What the user chooses in an estimation."""

from __future__ import annotations

from dataclasses import dataclass

from cop_core.estimation.crops import Crops
from cop_core.estimation.normalise import Normalisation, check_normalisation

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
    """

    normalisation: Normalisation = DEFAULT_NORMALISATION
    crops: Crops = None
    seed: int = 0
    offset_counts: float | None = None

    def __post_init__(self) -> None:
        check_normalisation(self.normalisation)
