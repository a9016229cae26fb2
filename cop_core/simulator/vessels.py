"""The blood vessels of the cortex: pial network, penetrating vessels, capillary mesh."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from cop_core.simulator.drawing import Extent, FloatArray, Points, Spheres, walk

_PIAL_PER_MM = 5.5
_PENETRATING_PER_MM2 = 38.0
_NODE_SPACING_UM = 50.0
_FIRST_CAPILLARY_UM = 15.0
_DEGREE = 3.0
_NEIGHBOURS = 6


def grow_vessels(rng: np.random.Generator, extent_um: Extent) -> Spheres:
    """Grow the vessels of a block of cortex.

    Vessels of 20 to 50 µm run over the surface and branch; from them arterioles and venules of
    8 to 20 µm dive down; and a mesh of capillaries of 4 to 6 µm, three meeting at a node as in
    tissue, fills the space between them, about 0.8 m of it per mm3 [1]_.

    Returns
    -------
    Spheres
        Chains along every vessel, of value 1.

    References
    ----------
    .. [1] P. Blinder et al., "The cortical angiome", Nature Neuroscience 16:889 (2013).
    """
    pial, pial_radius = _pial(rng, extent_um)
    diving, diving_radius = _penetrating(rng, extent_um, pial)
    mesh, mesh_radius = _capillaries(rng, extent_um, diving)
    points = np.concatenate([pial, diving, mesh])
    return Spheres.build(points, np.concatenate([pial_radius, diving_radius, mesh_radius]))


def _pial(rng: np.random.Generator, extent_um: Extent) -> tuple[FloatArray, FloatArray]:
    """Vessels on the surface: long winding trunks and their branches."""
    _, height_um, width_um = extent_um
    side_um = max(height_um, width_um)
    trunks = max(1, round(_PIAL_PER_MM * side_um / 1000 / 2))
    angle = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.3, trunks)
    heading = np.stack([np.zeros(trunks), np.sin(angle), np.cos(angle)], 1)
    # One trunk per strip of the field: they seldom cross.
    middle = np.stack(
        [rng.uniform(2, 10, trunks), *_strips(rng, angle.mean(), extent_um, trunks)], 1
    )
    trunk = _flat_walk(rng, middle - heading * side_um, heading, 2 * side_um)
    radius = rng.uniform(12, 22, trunks)
    branches = 3 * trunks
    parent = rng.integers(0, trunks, branches)
    start = trunk[parent, rng.integers(0, trunk.shape[1], branches)]
    turn = rng.choice([-1, 1], branches) * rng.uniform(0.6, 1.4, branches)
    side_angle = angle[parent] + turn
    side_heading = np.stack([np.zeros(branches), np.sin(side_angle), np.cos(side_angle)], 1)
    branch = _flat_walk(rng, start, side_heading, 0.5 * side_um)
    branch_radius = np.outer(rng.uniform(6, 11, branches), np.linspace(1, 0.6, branch.shape[1]))
    points = np.concatenate([trunk.reshape(-1, 3), branch.reshape(-1, 3)])
    radii = np.concatenate([np.repeat(radius, trunk.shape[1]), branch_radius.ravel()])
    return points.astype(np.float32), radii.astype(np.float32)


def _strips(
    rng: np.random.Generator, angle_rad: float, extent_um: Extent, count: int
) -> tuple[Points, Points]:
    """Points (y, x) in µm, one in each of `count` strips along an angle through the field."""
    _, height_um, width_um = extent_um
    offset = ((np.arange(count) + rng.uniform(0.1, 0.9, count)) / count - 0.5) * width_um
    return height_um / 2 + np.cos(angle_rad) * offset, width_um / 2 - np.sin(angle_rad) * offset


def _flat_walk(
    rng: np.random.Generator, start_um: Points, heading: Points, length_um: float
) -> FloatArray:
    """Walk along the surface, without diving."""
    path = walk(
        rng, start_um, heading, steps=max(2, round(length_um / 4)), step_um=4.0, wander=0.05
    )
    path[..., 0] = start_um[:, None, 0]
    return path


def _penetrating(
    rng: np.random.Generator, extent_um: Extent, pial: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Arterioles and venules that dive from the surface and end at different depths."""
    depth_um, height_um, width_um = extent_um
    count = max(1, round(_PENETRATING_PER_MM2 * height_um * width_um / 1e6))
    inside = ((pial[:, 1:] >= 0) & (pial[:, 1:] <= [height_um, width_um])).all(1)
    from_pial = rng.permutation(pial[inside])[: count // 2]
    free = rng.uniform([5, 0, 0], [10, height_um, width_um], (count - len(from_pial), 3))
    start = np.concatenate([from_pial, free])
    down = rng.normal(0, 0.12, (count, 3))
    down[:, 0] = 1.0
    steps = round(depth_um / 2.5)
    path = walk(rng, start, down, steps=steps, step_um=2.5, wander=0.018)
    reach_um = np.minimum(depth_um, rng.uniform(350, 1500, count))[:, None]
    keep = path[..., 0] < reach_um
    taper = 1.0 - 0.5 * path[..., 0] / reach_um
    radius = rng.uniform(4.5, 10.5, count)[:, None] * np.clip(taper, 0.4, 1.0)
    return path[keep], radius[keep].astype(np.float32)


def _capillaries(
    rng: np.random.Generator, extent_um: Extent, diving: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mesh of curved segments between scattered nodes, joined to the penetrating vessels."""
    axes = [np.arange(0.0, size + 2 * _NODE_SPACING_UM, _NODE_SPACING_UM) for size in extent_um]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) - _NODE_SPACING_UM / 2
    nodes = lattice + rng.uniform(-0.5, 0.5, lattice.shape) * _NODE_SPACING_UM
    joints = diving[:: round(_NODE_SPACING_UM)]
    nodes = np.concatenate([nodes, joints])
    nodes = nodes[nodes[:, 0] > _FIRST_CAPILLARY_UM]
    _, neighbour = cKDTree(nodes).query(nodes, k=_NEIGHBOURS + 1)
    pairs = np.stack([np.repeat(np.arange(len(nodes)), _NEIGHBOURS), neighbour[:, 1:].ravel()], 1)
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    pairs = pairs[rng.random(len(pairs)) < _DEGREE * len(nodes) / 2 / len(pairs)]
    return _arcs(rng, nodes[pairs[:, 0]], nodes[pairs[:, 1]])


def _arcs(
    rng: np.random.Generator, start_um: Points, end_um: Points
) -> tuple[FloatArray, FloatArray]:
    """Tortuous segments: a straight line plus a bend and a wiggle, both zero at the ends."""
    steps = 36
    t = np.linspace(0, 1, steps)[None, :, None]
    length_um = np.linalg.norm(end_um - start_um, axis=1)[:, None, None]
    bend, wiggle = rng.normal(0, 0.16, (2, len(start_um), 1, 3))
    path = start_um[:, None] * (1 - t) + end_um[:, None] * t
    path += length_um * (bend * np.sin(np.pi * t) + 0.5 * wiggle * np.sin(2 * np.pi * t))
    radius = np.repeat(rng.uniform(1.9, 3.1, len(start_um)), steps)
    return path.reshape(-1, 3).astype(np.float32), radius.astype(np.float32)
