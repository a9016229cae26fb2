"""Mouse cortex, external capsule and hippocampus: their layers, cells and processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from cop_core.simulator.drawing import Extent, FloatArray, Points, Spheres, walk

# Cells drawn per cell kept: vessels and neighbours take about a fifth away again.
_CROWDING = 1.27
_APICAL_STEP_UM = 2.0
_BASAL_STEP_UM = 1.5


@dataclass(frozen=True)
class AnatomicalLayer:
    """One layer of tissue, from its top, in µm below the pia, down to the next layer's top.

    `neuropil` is the mean fluorophore concentration between the cells, relative to a bright soma.
    """

    name: str
    top_um: float
    cells_per_mm3: float
    soma_radius_um: float
    neuropil: float


LAYERS: tuple[AnatomicalLayer, ...] = (
    AnatomicalLayer("L1", 0.0, 15_000, 5.0, 0.21),
    AnatomicalLayer("L2/3", 115.0, 105_000, 6.0, 0.19),
    AnatomicalLayer("L4", 330.0, 140_000, 5.4, 0.18),
    AnatomicalLayer("L5", 460.0, 80_000, 7.6, 0.18),
    AnatomicalLayer("L6", 650.0, 110_000, 5.8, 0.17),
    AnatomicalLayer("white matter", 840.0, 8_000, 4.2, 0.22),
    AnatomicalLayer("stratum oriens", 1000.0, 10_000, 6.5, 0.19),
    AnatomicalLayer("stratum pyramidale", 1115.0, 450_000, 5.8, 0.17),
    AnatomicalLayer("stratum radiatum", 1175.0, 8_000, 6.0, 0.20),
)
"""Adult mouse, rounded from the ranges reviewed in [1]_ and [2]_; borders blur over tens of µm.

References
----------
.. [1] C. Ero, M.-O. Gewaltig, D. Keller, H. Markram, "A cell atlas for the mouse brain",
   Frontiers in Neuroinformatics 12:84 (2018).
.. [2] D. Keller, C. Ero, H. Markram, "Cell densities in the mouse brain: a systematic review",
   Frontiers in Neuroanatomy 12:83 (2018).
"""

WHITE_MATTER_UM: tuple[float, float] = (840.0, 1000.0)
"""Upper and lower border of the external capsule, in µm."""


def neuropil_at(depth_um: float) -> float:
    """Mean neuropil concentration at a depth, smooth across borders."""
    centres_um = [layer.top_um + 50.0 for layer in LAYERS]
    return float(np.interp(depth_um, centres_um, [layer.neuropil for layer in LAYERS]))


def white_matter_at(depth_um: float, border_um: float = 12.0) -> float:
    """Fraction of fibre texture at a depth, from 0 to 1 across soft borders."""
    top_um, bottom_um = WHITE_MATTER_UM
    rise = np.clip((depth_um - top_um) / border_um + 0.5, 0.0, 1.0)
    fall = np.clip((bottom_um - depth_um) / border_um + 0.5, 0.0, 1.0)
    return float(min(rise, fall))


@dataclass(frozen=True)
class CellPopulation:
    """Every cell of the phantom.

    Attributes
    ----------
    somata : Spheres
        Labelled cell bodies, with their concentration as value.
    nuclei : Spheres
        Nuclei of the labelled cells, which hold less label.
    unlabelled : Spheres
        Cell bodies without label, dark against the neuropil.
    neurites : Spheres
        Dendrites and axons, with their concentration as value.
    """

    somata: Spheres
    nuclei: Spheres
    unlabelled: Spheres
    neurites: Spheres


def grow_cells(
    rng: np.random.Generator,
    extent_um: Extent,
    vessels: Spheres,
    labelled_fraction: float,
    filled_fraction: float,
) -> CellPopulation:
    """Place cells at their layers' densities, outside vessels, and grow processes.

    Parameters
    ----------
    filled_fraction : float
        Fraction of the labelled cells whose dendrites are bright enough to follow.
    """
    centres, radius_um = _place(rng, extent_um, vessels)
    labelled = rng.random(len(centres)) < labelled_fraction
    bright = np.clip(rng.lognormal(np.log(0.5), 0.4, len(centres)), 0.22, 1.1)
    bodies, body_radius = _bodies(rng, centres, radius_um)
    twice = np.tile(labelled, 2)
    offset = rng.normal(0, 0.6, centres.shape)
    filled = labelled & (rng.random(len(centres)) < filled_fraction)
    return CellPopulation(
        somata=Spheres.build(bodies[twice], body_radius[twice], np.tile(bright, 2)[twice]),
        nuclei=Spheres.build((centres + offset)[labelled], 0.62 * radius_um[labelled]),
        unlabelled=Spheres.build(bodies[~twice], body_radius[~twice]),
        neurites=_neurites(rng, extent_um, centres[filled], bright[filled]),
    )


def _place(rng: np.random.Generator, extent_um: Extent, vessels: Spheres) -> tuple[Points, Points]:
    """Draw cell centres and radii in µm, by thinning a uniform cloud to each layer's density."""
    depth_um, height_um, width_um = extent_um
    density = np.array([layer.cells_per_mm3 for layer in LAYERS])
    volume_mm3 = depth_um * height_um * width_um / 1e9
    count = rng.poisson(_CROWDING * density.max() * volume_mm3)
    centres = rng.uniform([0, 0, 0], extent_um, (count, 3))
    layer = _layer_at(centres[:, 0] + rng.normal(0, 9, count))
    keep = (rng.random(count) < density[layer] / density.max()) & (centres[:, 0] > 8)
    centres, layer = centres[keep], layer[keep]
    mean_um = np.array([entry.soma_radius_um for entry in LAYERS])[layer]
    radius_um = mean_um * np.clip(rng.normal(1, 0.13, len(layer)), 0.7, 1.5)
    free = _outside(centres, vessels) & _apart(centres, radius_um)
    return centres[free], radius_um[free]


def _layer_at(depth_um: Points) -> npt.NDArray[np.intp]:
    """Index into `LAYERS` at each depth; negative depths belong to the first layer."""
    tops_um = np.array([layer.top_um for layer in LAYERS])
    return np.maximum(np.searchsorted(tops_um, depth_um, side="right") - 1, 0)


def _outside(centres: Points, vessels: Spheres) -> npt.NDArray[np.bool_]:
    """Whether each centre keeps 5 µm from the wall of its nearest vessel."""
    if not len(vessels.radius_um):
        return np.ones(len(centres), bool)
    distance_um, nearest = cKDTree(vessels.zyx_um).query(centres, distance_upper_bound=30.0)
    radius_um = np.append(vessels.radius_um, 0.0)[nearest]
    return np.asarray(distance_um > radius_um + 5.0)


def _apart(centres: Points, radius_um: Points) -> npt.NDArray[np.bool_]:
    """Whether a cell is clear of all cells before it; bodies may touch but not merge."""
    pairs = cKDTree(centres).query_pairs(1.3 * float(radius_um.mean()), output_type="ndarray")
    keep = np.ones(len(centres), bool)
    keep[pairs.max(axis=1)] = False
    return keep


def _bodies(rng: np.random.Generator, centres: Points, radius_um: Points) -> tuple[Points, Points]:
    """Give each body a second lobe, mostly upwards, so that no cut is a perfect circle."""
    lobe = rng.normal(0, 0.32, centres.shape) * radius_um[:, None]
    lobe[:, 0] -= 0.45 * radius_um
    radii = np.concatenate([radius_um, 0.72 * radius_um])
    return np.concatenate([centres, centres + lobe]), radii


def _neurites(
    rng: np.random.Generator, extent_um: Extent, centres: Points, bright: Points
) -> Spheres:
    """Apical dendrites with their tufts, basal dendrites, and axons of cells elsewhere."""
    cortical = centres[:, 0] < WHITE_MATTER_UM[0]
    apical, apical_of = _apical(rng, centres[cortical])
    basal = _radial(rng, np.repeat(centres, 5, axis=0), 55, 0.7)
    axons = _axons(rng, extent_um)
    value = np.concatenate(
        [0.9 * bright[cortical][apical_of], np.repeat(0.75 * bright, 5 * 55), _beads(rng, axons)]
    )
    radius = np.concatenate(
        [np.full(len(apical), 1.2), np.full(len(basal), 0.8), np.full(axons[..., 0].size, 0.55)]
    )
    points = np.concatenate([apical, basal, axons.reshape(-1, 3)])
    return Spheres.build(points, radius, value)


def _apical(rng: np.random.Generator, centres: Points) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Dendrites that climb to layer 1 and branch there; also whose dendrite a point is."""
    up = rng.normal(0, 0.06, centres.shape)
    up[:, 0] = -1.0
    trunk = walk(
        rng,
        centres,
        up,
        steps=round(WHITE_MATTER_UM[0] / _APICAL_STEP_UM),
        step_um=_APICAL_STEP_UM,
        wander=0.012,
    )
    in_cortex = trunk[..., 0] > 90.0
    climbs = np.flatnonzero(in_cortex.any(axis=1))
    top = trunk[climbs, np.maximum(in_cortex[climbs].sum(axis=1) - 1, 0)]
    fork = np.repeat(top, 4, axis=0)
    heading = rng.normal(0, 1, fork.shape)
    heading[:, 0] = -0.9
    tuft = walk(rng, fork, heading, steps=70, step_um=_APICAL_STEP_UM, wander=0.12)
    tuft_kept = tuft[..., 0] > 6.0
    owner = np.broadcast_to(np.arange(len(centres))[:, None], in_cortex.shape)[in_cortex]
    tuft_owner = np.broadcast_to(np.repeat(climbs, 4)[:, None], tuft_kept.shape)[tuft_kept]
    return np.concatenate([trunk[in_cortex], tuft[tuft_kept]]), np.append(owner, tuft_owner)


def _radial(rng: np.random.Generator, start_um: Points, steps: int, flatness: float) -> FloatArray:
    """Grow processes that leave their start in random directions, more level than steep."""
    heading = rng.normal(0, 1, start_um.shape)
    heading[:, 0] *= flatness
    return walk(rng, start_um, heading, steps=steps, step_um=_BASAL_STEP_UM, wander=0.09).reshape(
        -1, 3
    )


def _axons(rng: np.random.Generator, extent_um: Extent) -> FloatArray:
    """Long thin processes in every direction, 2,500 starts per mm3."""
    count = rng.poisson(2500 * float(np.prod(extent_um)) / 1e9)
    start = rng.uniform([0, 0, 0], extent_um, (count, 3))
    heading = rng.normal(0, 1, start.shape)
    return walk(rng, start, heading, steps=160, step_um=_BASAL_STEP_UM, wander=0.07)


def _beads(rng: np.random.Generator, axons: FloatArray) -> Points:
    """Concentration along axons, brighter in varicosities every few µm."""
    shape = axons.shape[:2]
    beads = np.where(rng.random(shape) < 0.12, 0.7, 0.32)
    return (beads * rng.uniform(0.6, 1.1, (shape[0], 1))).ravel()
