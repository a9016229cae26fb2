"""What the pixels of one plane tell of where they come from."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.records import PixelFacts
from cop_core.stacks.distinct import distinct
from cop_core.stacks.model import Plane
from cop_core.stacks.pile_up import floor_of
from cop_core.stacks.processed import is_smoothed, shows_blocks

FLOOR_FRACTION: Final = 0.01
"""Fraction of the pixels at the lowest value from which on the floor counts as cut off."""

_FEWEST_VALUES: Final = 32
"""Values up to the brightest, from which on a zero is no count of photons."""


def pixel_facts(plane: Plane, image: npt.NDArray[Any], n_masked: int) -> PixelFacts:
    """Return what the pixels of a plane tell.

    Parameters
    ----------
    plane : Plane
        Of one that is not valid, the fill at its edges is all.
    image : ndarray of shape (height, width)
        Its image, fixed pixels masked.
    n_masked : int
        How many they are.
    """
    border = plane.validity.border
    fill_rows, fill_columns = border.top + border.bottom, border.left + border.right
    if not plane.validity.ok:
        return PixelFacts(fill_rows, fill_columns)
    lossy = plane.validity.lossy or shows_blocks(image)
    return PixelFacts(
        fill_rows,
        fill_columns,
        n_masked,
        floor_fraction(image),
        lossy,
        not lossy and is_smoothed(image),
    )


def floor_fraction(image: npt.NDArray[Any]) -> float:
    """Return the fraction of pixels at the lowest value where they pile up there, else 0.

    Counts of photons do so too where light is low: a few values are no floor.
    """
    floor = floor_of(image)
    if floor is None or len(distinct(image).values) < _FEWEST_VALUES:
        return 0.0
    found = float(np.count_nonzero(image <= floor)) / image.size
    return found if found >= FLOOR_FRACTION else 0.0
