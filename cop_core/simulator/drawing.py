"""Primitives of the phantom: soft spheres, and textures that vary smoothly with depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

FloatArray = npt.NDArray[np.float32]
Points = npt.NDArray[np.floating]
Extent = tuple[float, float, float]
"""(z, y, x) size of a block of tissue, in µm."""


@dataclass(frozen=True)
class PlaneGrid:
    """Pixels of a plane: (height, width), their side, and the width over which borders fade."""

    shape: tuple[int, int]
    pixel_um: float
    softness_um: float


@dataclass(frozen=True)
class Spheres:
    """Spheres sorted by depth, of which everything in the phantom except its background is made.

    Attributes
    ----------
    zyx_um : ndarray of shape (n, 3)
        Centres.
    radius_um, value : ndarray of shape (n,)
        Value: fluorophore concentration, or 1 for a mask.
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

    def draw(self, grid: PlaneGrid, depth_um: float) -> FloatArray:
        """Draw the cut through all spheres at a depth, value times coverage, (height, width).

        Coverage is ``clip((radius - distance) / softness + 1/2, 0, 1)`` with the distance in three
        dimensions, which makes neighbouring planes change smoothly. Overlapping spheres take the
        larger value: a chain of them is a tube of uniform brightness.
        """
        plane = np.zeros(grid.shape[0] * grid.shape[1], np.float32)
        near = self._near(depth_um, grid.softness_um / 2)
        halves = np.ceil((near.radius_um + grid.softness_um / 2) / grid.pixel_um).astype(int)
        for half in np.unique(halves):
            _stamp(plane, grid, depth_um, near, np.flatnonzero(halves == half), half=int(half))
        return plane.reshape(grid.shape)

    def _near(self, depth_um: float, softness_um: float) -> Spheres:
        """Keep the spheres that reach a plane."""
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


def _stamp(
    plane: FloatArray,
    grid: PlaneGrid,
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
    start_um: Points,
    direction: Points,
    *,
    steps: int,
    step_um: float,
    wander: float,
) -> FloatArray:
    """Walk from each start with slowly turning direction, as a neurite or vessel does.

    Parameters
    ----------
    start_um, direction : ndarray of shape (n, 3)
        Start and initial direction of each walk (z, y, x).
    wander : float
        SD of the direction's change per step.

    Returns
    -------
    ndarray of shape (n, steps, 3)
        Points in µm.
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


@dataclass(frozen=True)
class Texture:
    """A stationary Gaussian field of mean 0 and variance 1, correlated in x, y and z.

    Independent planes are drawn at knots in depth, filtered, and mixed in between with weights cos
    and sin. Their squares sum to 1, which makes the variance the same at every depth.

    Attributes
    ----------
    shape : tuple of int
        (height, width) in pixels of `pixel_um`.
    along_um, across_um : float
        SD of the Gaussian filter along and across `angle_rad`, which counts from the x axis.
    knot_um : float
        Distance of the knots in depth.
    """

    shape: tuple[int, int]
    pixel_um: float
    along_um: float
    across_um: float
    angle_rad: float
    knot_um: float
    seed: tuple[int, ...]

    def at(self, depth_um: float) -> FloatArray:
        """Field at a depth, as a (height, width) plane."""
        knot, between = divmod(depth_um / self.knot_um, 1.0)
        weight = 0.5 * np.pi * between
        above, below = _knot(self, int(knot)), _knot(self, int(knot) + 1)
        return np.asarray(np.cos(weight) * above + np.sin(weight) * below, np.float32)


@lru_cache(maxsize=16)
def _knot(texture: Texture, index: int) -> FloatArray:
    """Draw the independent plane at one knot, with unit variance."""
    # Seeds cannot be negative; a knot above the pia has an odd one.
    folded = 2 * index if index >= 0 else -2 * index - 1
    white = np.random.default_rng((*texture.seed, folded)).standard_normal(texture.shape)
    spectrum = fft.rfft2(white.astype(np.float32)) * _response(texture)
    plane = fft.irfft2(spectrum, s=texture.shape)
    return np.asarray(plane / plane.std(), np.float32)


@lru_cache(maxsize=16)
def _response(texture: Texture) -> FloatArray:
    """Fourier transform of the oriented Gaussian filter, ``exp(-2 pi^2 sum (sigma f)^2)``."""
    height, width = texture.shape
    fy = fft.fftfreq(height, texture.pixel_um)[:, None]
    fx = fft.rfftfreq(width, texture.pixel_um)[None, :]
    cos, sin = np.cos(texture.angle_rad), np.sin(texture.angle_rad)
    along = texture.along_um * (cos * fx + sin * fy)
    across = texture.across_um * (cos * fy - sin * fx)
    return np.asarray(np.exp(-2.0 * np.pi**2 * (along**2 + across**2)), np.float32)
