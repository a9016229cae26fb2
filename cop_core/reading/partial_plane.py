"""One plane of a live reading, of which some crops may still be to be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from cop_core.reading.estimator import CropReading
from cop_core.reading.planes import with_strengths
from cop_core.statistics.profile import NOT_READ, PlaneEstimate

_GOLDEN: Final = (5**0.5 - 1) / 2


class Entry:
    """A plane with what was read of its crops, in whatever order.

    Parameters
    ----------
    bare : PlaneEstimate
        The plane without strengths, from `prepare`.
    crops : int
        How many it was cut into; 0 where it is excluded.
    range_counts : tuple of float
        The stack's range that they were made with.
    """

    def __init__(self, bare: PlaneEstimate, crops: int, range_counts: tuple[float, float]) -> None:
        self.range_counts = range_counts
        self._bare = bare
        # multiples of the golden ratio: wherever it stops, crops are spread over the plane
        self._order: list[int] = np.argsort(np.arange(crops) * _GOLDEN % 1.0).tolist()
        self._read: dict[int, CropReading] = {}
        self.estimate = replace(bare, n_crops=0, reason=NOT_READ) if crops else bare

    @property
    def left(self) -> int:
        """Crops still to be read."""
        return len(self._order)

    def next_crops(self, most: int) -> list[int]:
        """Return which crops are to be read next, at most so many."""
        return self._order[:most]

    def enter(self, rows: list[int], read: CropReading) -> None:
        """Take what was read of the crops that `next_crops` said."""
        self._order = self._order[len(rows) :]
        self._read |= {row: CropReading(*(v[i] for v in read)) for i, row in enumerate(rows)}
        known = [self._read[row] for row in sorted(self._read)]
        self.estimate = with_strengths(
            self._bare, CropReading(*map(np.stack, zip(*known, strict=True)))
        )
        if not self._order:
            self._read.clear()

    def place(self, depth_um: float, power_mw: float) -> None:
        """Give the plane the depth and power that the whole stack states."""
        self.estimate = replace(self.estimate, depth_um=depth_um, power_mw=power_mw)
