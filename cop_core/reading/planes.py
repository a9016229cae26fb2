"""From the pixels of a plane to its estimate: crops are normalised, their strengths averaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.reading.crops import NO_CROPS, PlaneCrops, crops_of
from cop_core.reading.estimator import CropReading
from cop_core.reading.normalisation import normaliser, plane_range
from cop_core.reading.survey import NOTHING_SEEN, Basis
from cop_core.recipes import ReadingOptions
from cop_core.records import NO_SIGNAL, NOT_READ, UNFAMILIAR, PixelFacts, PlaneEstimate
from cop_core.stacks import Plane, Stack
from cop_core.stacks.block_means import block_means
from cop_core.stacks.fixed_pixels import picture_of
from cop_core.stacks.told_by_pixels import pixel_facts

_GOLDEN: Final = (5**0.5 - 1) / 2
NO_RANGE: Final = "no range to normalise"

Prepared = tuple[PlaneEstimate, PlaneCrops]
"""A plane's estimate, still without strengths, and its crops."""


def prepare(plane: Plane, reading: ReadingOptions, basis: Basis, components: int) -> Prepared:
    """Return a plane, still without strengths, and its crops; a plane left out has none."""
    valid = plane.validity.ok
    image = picture_of(plane, basis.masked if valid else frozenset())
    may_lack = image.dtype.kind == "f" and not valid
    finite = image[np.isfinite(image)] if may_lack else image
    estimate = PlaneEstimate(
        index=plane.index,
        depth_um=plane.depth_um,
        power=plane.power,
        power_unit=plane.power_unit,
        mean=np.full(components, np.nan),
        sd=np.full(components, np.nan),
        n_crops=0,
        signal=float(finite.mean(dtype=np.float64)) if finite.size else float("nan"),
        reason=plane.validity.reason or ("" if basis.finds_signal(image) else NO_SIGNAL),
        flags=plane.validity.flags,
        saturated_fraction=plane.validity.saturated_in(image),
        block_means=block_means(_in_place(plane, image)),
    )
    estimate = _noted(estimate, pixel_facts(plane, image, len(basis.masked)))
    if estimate.reason:
        return estimate, NO_CROPS
    stack_range = basis.range_counts or NOTHING_SEEN.range_counts
    low, high = plane_range(image, reading.normalisation, stack_range, reading.offset_counts)
    if not high > low:
        return replace(estimate, reason=NO_RANGE), NO_CROPS
    seed = reading.seed, plane.index
    crops = crops_of(image, reading.crops, seed, normaliser(image, low, high))
    return replace(estimate, n_crops=len(crops), span_counts=high - low), crops


def _in_place(plane: Plane, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the image in its place in the plane, with NaN for the fill around it."""
    if image.shape == plane.data.shape:
        return image
    placed = np.full(plane.data.shape, np.nan, np.float32)
    placed[plane.validity.border.inside(plane.data.shape)] = image
    return placed


def _noted(estimate: PlaneEstimate, facts: PixelFacts) -> PlaneEstimate:
    return replace(estimate, pixels=facts, flags=(*estimate.flags, *facts.notes))


def with_strengths(estimate: PlaneEstimate, own: CropReading) -> PlaneEstimate:
    """Return the estimate of a plane with the readings of all or some of its crops."""
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
        # not divided by the root of n: crops of one plane err in the same direction
        uncertainty=own.uncertainty.mean(axis=0),
        strengths=own.strengths,
        unfamiliar_fraction=strange / n if np.isfinite(own.strangeness).all() else np.nan,
        flags=flags,
    )


def not_read(stack: Stack, index: int, components: int) -> PlaneEstimate:
    """Return the estimate of a plane that the reading did not reach: left out."""
    return PlaneEstimate(
        index=index,
        depth_um=float(stack.depth_um[index]),
        power=float(stack.power[index]),
        power_unit=stack.power_unit,
        mean=np.full(components, np.nan),
        sd=np.full(components, np.nan),
        n_crops=0,
        signal=float("nan"),
        reason=NOT_READ,
    )


class PartialPlane:
    """A plane with the readings of its crops so far, in any order.

    Parameters
    ----------
    bare : PlaneEstimate
        The plane without strengths, from `prepare`.
    crops : int
        Number of its crops; 0 if it is left out.
    basis : Basis
        What was known of the stack when they were cut.
    """

    def __init__(self, bare: PlaneEstimate, crops: int, basis: Basis) -> None:
        self.basis = basis
        self._bare = bare
        # multiples of the golden ratio: wherever the reading stops, crops are spread over the plane
        self._order: list[int] = np.argsort(np.arange(crops) * _GOLDEN % 1.0).tolist()
        self._read: dict[int, CropReading] = {}
        self.estimate = replace(bare, n_crops=0, reason=NOT_READ) if crops else bare

    @property
    def index(self) -> int:
        """Index of the plane in its stack."""
        return self.estimate.index

    @property
    def left(self) -> int:
        """Crops still to be read."""
        return len(self._order)

    def next_crops(self, most: int) -> list[int]:
        """Return the indices of the next crops to read, at most so many."""
        return self._order[:most]

    def enter(self, rows: list[int], read: CropReading) -> None:
        """Enter the readings of the crops from `next_crops`."""
        self._order = self._order[len(rows) :]
        self._read |= {row: read.part(i, i + 1) for i, row in enumerate(rows)}
        known = (self._read[row] for row in sorted(self._read))
        self.estimate = with_strengths(self._bare, CropReading.joined(known))
        if not self._order:
            self._read.clear()

    def place(self, depth_um: float, power: float) -> None:
        """Set the depth and power that the whole stack states."""
        self.estimate = replace(self.estimate, depth_um=depth_um, power=power)
