"""Square windows of a plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.records.crop_grid import CROP, grid_starts

Pixels = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

Crops = int | None
"""Number of random crops per plane, or None for the full grid."""


def crops_of_a_plane(shape: tuple[int, ...], crops: Crops, crop: int = CROP) -> int:
    """Return the number of crops of a plane (height, width)."""
    return crops or len(grid_starts(shape[0], crop)) * len(grid_starts(shape[1], crop))


@dataclass(frozen=True)
class PlaneCrops:
    """The crops of a plane, cut and normalised on access.

    Together they would take several times the memory of the plane.

    Attributes
    ----------
    image : ndarray of shape (h, w)
        Pixels as stored.
    corners : tuple of (int, int)
        First row and column of each crop.
    normalise : callable
        Converts stored pixels to those of a crop.
    side : int
        Side of a crop in pixels.
    """

    image: Pixels
    corners: tuple[tuple[int, int], ...]
    normalise: Callable[[Pixels], Floats]
    side: int = CROP

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, index: int) -> Floats:
        """Return a crop, shape (side, side)."""
        y, x = self.corners[index]
        return self.normalise(self.image[y : y + self.side, x : x + self.side])

    def __iter__(self) -> Iterator[Floats]:
        return map(self.__getitem__, range(len(self)))


NO_CROPS: Final = PlaneCrops(np.empty((0, 0)), (), np.asarray)


def crops_of(
    image: Pixels,
    crops: Crops,
    seed: tuple[int, int],
    normalise: Callable[[Pixels], Floats],
    side: int = CROP,
) -> PlaneCrops:
    """Lay crops over a plane.

    Parameters
    ----------
    image : ndarray of shape (h, w)
        Reflect-padded at the far ends if it is smaller than a crop.
    crops : int or None
        Number of random windows, or None for the grid in which every pixel is used.
    seed : tuple of int
        Seed and plane number, for random windows: a plane's windows do not depend on others.
    normalise, side
        As in `PlaneCrops`.
    """
    short = [max(0, side - length) for length in image.shape]
    if any(short):
        image = np.pad(image, [(0, s) for s in short], mode="symmetric")
    h, w = image.shape
    if crops is None:
        corners = [(y, x) for y in grid_starts(h, side) for x in grid_starts(w, side)]
    else:
        rng = np.random.default_rng(seed)
        ys, xs = rng.integers(h - side + 1, size=crops), rng.integers(w - side + 1, size=crops)
        corners = list(zip(ys.tolist(), xs.tolist(), strict=True))
    return PlaneCrops(image, tuple(corners), normalise, side)


def cut(plane: Floats, crops: Crops, seed: tuple[int, int], crop: int = CROP) -> Floats:
    """Cut a normalised plane (h, w) into the crops of `crops_of`, shape (n, crop, crop)."""
    return np.stack(list(crops_of(plane, crops, seed, np.asarray, crop)))
