"""One plane from pixels to its estimate: normalised crops, then strengths averaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cop_core.reading.crops import cut
from cop_core.reading.estimator import CropReading, Estimator
from cop_core.reading.normalisation import normalise, plane_range
from cop_core.reading.settings import Settings
from cop_core.reading.survey import NO_SIGNAL, Survey
from cop_core.stacks import Plane, Stack
from cop_core.statistics.profile import NOT_READ, UNFAMILIAR, PlaneEstimate

NO_RANGE = "no range to normalise"

Prepared = tuple[PlaneEstimate, npt.NDArray[np.float32]]
"""A plane's estimate without strengths yet, and its normalised crops (n, 192, 192)."""


def prepare(plane: Plane, settings: Settings, found: Survey, components: int) -> Prepared:
    """Return a plane without strengths yet and its crops; an excluded plane has none.

    Parameters
    ----------
    plane : Plane
        The plane, in counts.
    settings : Settings
        How it is normalised and cut.
    found : Survey
        The stack's range and its planes without signal.
    components : int
        Number of strengths.
    """
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
    )
    none = np.empty((0, 1, 1), np.float32)
    if estimate.reason:
        return estimate, none
    low, high = plane_range(
        data, settings.normalisation, found.range_counts, settings.offset_counts
    )
    if not high > low:
        return replace(estimate, reason=NO_RANGE), none
    crops = cut(normalise(data, low, high), settings.crops, (settings.seed, plane.index))
    return replace(estimate, n_crops=len(crops), span_counts=high - low), crops


def finish(
    batch: Sequence[Prepared], estimator: Estimator, batch_size: int
) -> Iterator[PlaneEstimate | None]:
    """Yield the planes of a batch with mean and SD of the strengths of their crops.

    Between batches of crops it yields None, so that a large plane can be stopped under way.

    Parameters
    ----------
    batch : sequence of Prepared
        Planes from `prepare`; all their crops are read at once.
    estimator : Estimator
        Reads them.
    batch_size : int
        Crops at a time.
    """
    full = [crops for _, crops in batch if len(crops)]
    crops_of_all = np.concatenate(full) if full else np.empty((0, 1, 1), np.float32)
    parts = []
    for start in range(0, len(crops_of_all), batch_size):
        some = crops_of_all[start : start + batch_size]
        parts.append(estimator.read(some, batch_size=batch_size))
        if start + batch_size < len(crops_of_all):
            yield None
    read = CropReading(*map(np.concatenate, zip(*parts, strict=True))) if parts else None
    start = 0
    for estimate, crops in batch:
        if read is None or not len(crops):
            yield estimate
            continue
        own = CropReading(*(values[start : start + len(crops)] for values in read))
        start += len(crops)
        yield with_strengths(estimate, own)


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
    """Return the estimate of a plane that the reading did not come to: excluded.

    Parameters
    ----------
    stack : Stack
        Knows depth and power of the plane.
    index : int
        Which plane.
    components : int
        Number of strengths.
    """
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
