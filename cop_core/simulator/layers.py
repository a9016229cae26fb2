"""What mouse cortex, external capsule and the hippocampus below hold at each depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Layer:
    """One layer of tissue, from its top down to the next layer's top.

    Attributes
    ----------
    name : str
        The layer's name in anatomy.
    top_um : float
        Depth of its upper border below the pia, in um.
    cells_per_mm3 : float
        Density of cell bodies, per cubic millimetre.
    soma_radius_um : float
        Mean radius of a cell body, in um.
    neuropil : float
        Mean fluorophore concentration between the cells, relative to a bright soma.
    """

    name: str
    top_um: float
    cells_per_mm3: float
    soma_radius_um: float
    neuropil: float


LAYERS: tuple[Layer, ...] = (
    Layer("L1", 0.0, 15_000, 5.0, 0.21),
    Layer("L2/3", 115.0, 105_000, 6.0, 0.19),
    Layer("L4", 330.0, 140_000, 5.4, 0.18),
    Layer("L5", 460.0, 80_000, 7.6, 0.18),
    Layer("L6", 650.0, 110_000, 5.8, 0.17),
    Layer("white matter", 840.0, 8_000, 4.2, 0.22),
    Layer("stratum oriens", 1000.0, 10_000, 6.5, 0.19),
    Layer("stratum pyramidale", 1115.0, 450_000, 5.8, 0.17),
    Layer("stratum radiatum", 1175.0, 8_000, 6.0, 0.20),
)
"""Adult mouse, rounded from the ranges reviewed in [1]_ and [2]_; borders blur over tens of um.

References
----------
.. [1] C. Ero, M.-O. Gewaltig, D. Keller, H. Markram, "A cell atlas for the mouse brain",
   Frontiers in Neuroinformatics 12:84 (2018).
.. [2] D. Keller, C. Ero, H. Markram, "Cell densities in the mouse brain: a systematic review",
   Frontiers in Neuroanatomy 12:83 (2018).
"""

WHITE_MATTER_UM: tuple[float, float] = (840.0, 1000.0)
"""Upper and lower border of the external capsule, in um."""


def layer_at(depth_um: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Index into `LAYERS` at each depth in um; negative depths belong to the first layer."""
    tops_um = np.array([layer.top_um for layer in LAYERS])
    return np.maximum(np.searchsorted(tops_um, np.asarray(depth_um, float), side="right") - 1, 0)


def neuropil_at(depth_um: float) -> float:
    """Mean neuropil concentration at a depth in um, smooth across borders."""
    centres_um = [layer.top_um + 50.0 for layer in LAYERS]
    return float(np.interp(depth_um, centres_um, [layer.neuropil for layer in LAYERS]))


def white_matter_at(depth_um: float, border_um: float = 12.0) -> float:
    """Fraction of fibre texture at a depth in um, from 0 to 1 across soft borders."""
    top_um, bottom_um = WHITE_MATTER_UM
    rise = np.clip((depth_um - top_um) / border_um + 0.5, 0.0, 1.0)
    fall = np.clip((bottom_um - depth_um) / border_um + 0.5, 0.0, 1.0)
    return float(min(rise, fall))
