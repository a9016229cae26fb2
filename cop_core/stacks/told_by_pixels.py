"""Facts about the origin of a plane's pixels, found in the pixels."""

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
"""Fraction of pixels at the lowest value above which the floor counts as cut off."""

_FEWEST_VALUES: Final = 32
"""Number of values up to the brightest above which a zero is not a count of photons."""


def pixel_facts(plane: Plane, image: npt.NDArray[Any], n_masked: int) -> PixelFacts:
    """Return the facts found in the pixels of a plane.

    Parameters
    ----------
    plane : Plane
        If it is not valid, only the fill at its edges is reported.
    image : ndarray of shape (height, width)
        Its image, fixed pixels masked.
    n_masked : int
        Number of masked pixels.
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
    """Return the fraction of pixels at the lowest value if they pile up there, else 0.

    Photon counts pile up too in low light: a few values are not a floor.
    """
    floor = floor_of(image)
    if floor is None or len(distinct(image).values) < _FEWEST_VALUES:
        return 0.0
    found = float(np.count_nonzero(image <= floor)) / image.size
    return found if found >= FLOOR_FRACTION else 0.0
