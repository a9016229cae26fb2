"""One plane from pixels to its estimate: normalised crops, then strengths averaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.reading.block_means import block_means
from cop_core.reading.crops import cut
from cop_core.reading.estimator import CropReading
from cop_core.reading.normalisation import normalise, plane_range
from cop_core.reading.survey import Survey
from cop_core.recipes import ReadingOptions
from cop_core.records import NO_SIGNAL, NOT_READ, UNFAMILIAR, PlaneEstimate
from cop_core.stacks import Plane, Stack

_GOLDEN: Final = (5**0.5 - 1) / 2
NO_RANGE: Final = "no range to normalise"

Prepared = tuple[PlaneEstimate, npt.NDArray[np.float32]]
"""A plane's estimate without strengths yet, and its normalised crops (n, 192, 192)."""


def prepare(plane: Plane, reading: ReadingOptions, found: Survey, components: int) -> Prepared:
    """Return a plane without strengths yet and its crops; an excluded plane has none."""
    data = plane.data
    finite = data[np.isfinite(data)] if data.dtype.kind == "f" else data
    estimate = PlaneEstimate(
        index=plane.index,
        depth_um=plane.depth_um,
        power_mw=plane.power_mw,
        mean=np.full(components, np.nan),
        sd=np.full(components, np.nan),
        n_crops=0,
        signal=float(finite.mean(dtype=np.float64)) if finite.size else float("nan"),
        reason=plane.validity.reason or (NO_SIGNAL if plane.index in found.empty else ""),
        flags=plane.validity.flags,
        saturated_fraction=plane.validity.saturated_fraction,
        block_means=block_means(data),
    )
    none = np.empty((0, 1, 1), np.float32)
    if estimate.reason:
        return estimate, none
    low, high = plane_range(data, reading.normalisation, found.range_counts, reading.offset_counts)
    if not high > low:
        return replace(estimate, reason=NO_RANGE), none
    crops = cut(normalise(data, low, high), reading.crops, (reading.seed, plane.index))
    return replace(estimate, n_crops=len(crops), span_counts=high - low), crops


def with_strengths(estimate: PlaneEstimate, own: CropReading) -> PlaneEstimate:
    """Return the estimate of a plane with what was read from its crops, all of them or some."""
    n, components = own.strengths.shape
    strange = int((own.strangeness > 1).sum())
    flags = estimate.flags
    if strange > n / 2:
        flags += (f"{UNFAMILIAR} ({strange} of {n} crops)",)
    return replace(
        estimate,
        n_crops=n,
        mean=own.strengths.mean(axis=0),
        sd=own.strengths.std(axis=0, ddof=1) if n > 1 else np.zeros(components),
        # not over the root of n: crops of one plane are wrong in the same direction
        uncertainty=own.uncertainty.mean(axis=0),
        strengths=own.strengths,
        unfamiliar_fraction=strange / n if np.isfinite(own.strangeness).all() else np.nan,
        flags=flags,
    )


def not_read(stack: Stack, index: int, components: int) -> PlaneEstimate:
    """Return the estimate of a plane that the reading did not come to: excluded."""
    return PlaneEstimate(
        index=index,
        depth_um=float(stack.depth_um[index]),
        power_mw=float(stack.power_mw[index]),
        mean=np.full(components, np.nan),
        sd=np.full(components, np.nan),
        n_crops=0,
        signal=float("nan"),
        reason=NOT_READ,
    )


class PartialPlane:
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
        self._read |= {row: read.part(i, i + 1) for i, row in enumerate(rows)}
        known = [self._read[row] for row in sorted(self._read)]
        self.estimate = with_strengths(
            self._bare, CropReading(*map(np.concatenate, zip(*known, strict=True)))
        )
        if not self._order:
            self._read.clear()

    def place(self, depth_um: float, power_mw: float) -> None:
        """Give the plane the depth and power that the whole stack states."""
        self.estimate = replace(self.estimate, depth_um=depth_um, power_mw=power_mw)
