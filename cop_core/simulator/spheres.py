"""Structures as chains of soft spheres, and their drawing into one plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a plane lie.

    Attributes
    ----------
    shape : tuple of int
        (height, width) in pixels.
    pixel_um : float
        Side of a pixel, in um.
    softness_um : float
        Width over which a structure's border fades, in um.
    """

    shape: tuple[int, int]
    pixel_um: float
    softness_um: float


@dataclass(frozen=True)
class Spheres:
    """Spheres sorted by depth; everything in the phantom but its background is made of them.

    Attributes
    ----------
    zyx_um : ndarray of shape (n, 3)
        Centres, in um.
    radius_um : ndarray of shape (n,)
        Radii, in um.
    value : ndarray of shape (n,)
        Fluorophore concentration, or 1 for a mask.
    """

    zyx_um: FloatArray
    radius_um: FloatArray
    value: FloatArray

    @classmethod
    def build(
        cls, zyx_um: npt.ArrayLike, radius_um: npt.ArrayLike, value: npt.ArrayLike = 1.0
    ) -> Spheres:
        """Sort by depth; radius and value may be scalars or (n,)."""
        centres = np.asarray(zyx_um, np.float32).reshape(-1, 3)
        order = np.argsort(centres[:, 0], kind="stable")
        radius = np.broadcast_to(np.asarray(radius_um, np.float32), centres.shape[:1])
        values = np.broadcast_to(np.asarray(value, np.float32), centres.shape[:1])
        return cls(centres[order], radius[order], values[order])

    def near(self, depth_um: float, softness_um: float) -> Spheres:
        """Keep the spheres that reach a plane at a depth in um."""
        if not len(self.radius_um):
            return self
        reach_um = float(self.radius_um.max()) + softness_um
        z_um = self.zyx_um[:, 0]
        start, stop = np.searchsorted(z_um, [depth_um - reach_um, depth_um + reach_um])
        keep = np.flatnonzero(
            np.abs(z_um[start:stop] - depth_um) < self.radius_um[start:stop] + softness_um
        )
        keep += start
        return Spheres(self.zyx_um[keep], self.radius_um[keep], self.value[keep])

    def draw(self, grid: Grid, depth_um: float) -> FloatArray:
        """Draw the cut through all spheres at a depth.

        Coverage is ``clip((radius - distance) / softness + 1/2, 0, 1)`` with the distance taken
        in three dimensions, so that neighbouring planes change smoothly. Overlapping spheres
        take the larger value: a chain of them is a tube of even brightness.

        Returns
        -------
        ndarray of shape (height, width)
            Value times coverage.
        """
        plane = np.zeros(grid.shape[0] * grid.shape[1], np.float32)
        near = self.near(depth_um, grid.softness_um / 2)
        halves = np.ceil((near.radius_um + grid.softness_um / 2) / grid.pixel_um).astype(int)
        for half in np.unique(halves):
            _stamp(plane, grid, depth_um, near, np.flatnonzero(halves == half), half=int(half))
        return plane.reshape(grid.shape)


def _stamp(
    plane: FloatArray,
    grid: Grid,
    depth_um: float,
    spheres: Spheres,
    chosen: npt.NDArray[np.intp],
    *,
    half: int,
) -> None:
    """Draw the chosen spheres, each in a window of 2 half + 1 pixels, into a flat plane."""
    height, width = grid.shape
    z, y, x = (spheres.zyx_um[chosen, axis, None, None] for axis in range(3))
    offsets = np.arange(-half, half + 1)
    rows = np.rint(y / grid.pixel_um).astype(int) + offsets[None, :, None]
    columns = np.rint(x / grid.pixel_um).astype(int) + offsets[None, None, :]
    distance2 = (
        (z - depth_um) ** 2 + (rows * grid.pixel_um - y) ** 2 + (columns * grid.pixel_um - x) ** 2
    )
    radius = spheres.radius_um[chosen, None, None]
    coverage = np.clip((radius - np.sqrt(distance2)) / grid.softness_um + 0.5, 0.0, 1.0)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width) & (coverage > 0)
    values = (coverage * spheres.value[chosen, None, None]).astype(np.float32)
    np.maximum.at(plane, (rows * width + columns)[inside], values[inside])


def walk(
    rng: np.random.Generator,
    start_um: npt.NDArray[np.floating],
    direction: npt.NDArray[np.floating],
    *,
    steps: int,
    step_um: float,
    wander: float,
) -> FloatArray:
    """Walk from each start with slowly turning direction, as a neurite or vessel does.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    start_um, direction : ndarray of shape (n, 3)
        Where each walk starts, in um, and where it heads (z, y, x).
    steps : int
        Points of a walk.
    step_um : float
        Distance between points, in um.
    wander : float
        SD of the direction's change per step.

    Returns
    -------
    ndarray of shape (n, steps, 3)
        Points, in um.
    """
    heading = np.asarray(direction, np.float32).copy()
    turns = rng.normal(0.0, wander, (steps, *heading.shape)).astype(np.float32)
    path = np.empty((len(heading), steps, 3), np.float32)
    for step in range(steps):
        heading += turns[step]
        heading /= np.linalg.norm(heading, axis=1, keepdims=True)
        path[:, step] = heading
    path *= np.float32(step_um)
    np.cumsum(path, axis=1, out=path)
    path += np.asarray(start_um, np.float32)[:, None]
    return path
