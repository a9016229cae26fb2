"""Square windows of a plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cop_core.records.crop_grid import CROP, grid_starts

Crops = int | None
"""Number of random crops a plane, or None for the full grid."""


def crops_of_a_plane(shape: tuple[int, ...], crops: Crops, crop: int = CROP) -> int:
    """Return how many crops a plane of (height, width) is cut into."""
    return crops or len(grid_starts(shape[0], crop)) * len(grid_starts(shape[1], crop))


def cut(
    plane: npt.NDArray[np.float32], crops: Crops, seed: tuple[int, int], crop: int = CROP
) -> npt.NDArray[np.float32]:
    """Cut a normalised plane into crops.

    Parameters
    ----------
    plane : ndarray of shape (h, w)
        Reflect-padded at the far ends where it is smaller than a crop.
    crops : int or None
        Number of random windows, or None for the grid in which every pixel is used.
    seed : tuple of int
        Seed and plane number, for random windows: a plane's windows do not depend on others.

    Returns
    -------
    ndarray of shape (n, crop, crop)
    """
    short = [max(0, crop - side) for side in plane.shape]
    if any(short):
        plane = np.pad(plane, [(0, s) for s in short], mode="symmetric")
    h, w = plane.shape
    if crops is None:
        corners = [(y, x) for y in grid_starts(h, crop) for x in grid_starts(w, crop)]
    else:
        rng = np.random.default_rng(seed)
        ys, xs = rng.integers(h - crop + 1, size=crops), rng.integers(w - crop + 1, size=crops)
        corners = list(zip(ys.tolist(), xs.tolist(), strict=True))
    return np.stack([plane[y : y + crop, x : x + crop] for y, x in corners])
