"""Where a curve over depth bends most: white matter, a cap of the power, lost signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.records import Bend
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.depth_order import by_depth
from cop_core.statistics.local_smooth import half_width_um, local_lines, smoothing, wide_enough
from cop_core.statistics.reading_bootstrap import typical_doubt

if TYPE_CHECKING:
    from cop_core.records import DepthProfile

SAMPLES: Final = 500
TOO_FEW: Final = "there are too few planes"
TOO_NARROW: Final = "the planes cover too small a range of depths"
NO_SPREAD: Final = "the values do not vary"
WITHIN_READINGS: Final = "the values vary by less than the uncertainty of their readings"


def find_bend(
    depth_um: npt.ArrayLike,
    values: npt.ArrayLike,
    uncertainty: npt.ArrayLike | None = None,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Bend:
    """Return the depth at which the slope of the smoothed curve through values changes most.

    Slopes are those of the smooth over one half-width of its kernel to either side.

    Parameters
    ----------
    depth_um, values : array_like of shape (n,)
        In any order. Pairs with a member that is not finite are ignored.
    uncertainty : array_like of shape (n,), optional
        Stated for each value, one SD.
    samples, seed : int
        Of the bootstrap.
    """
    depth, value = by_depth(depth_um, values)
    if not wide_enough(depth):
        return Bend(note=too_short(depth))
    half = half_width_um(depth)
    at = depth[(depth >= depth[0] + half) & (depth <= depth[-1] - half)]
    if not len(at):
        return Bend(note=TOO_FEW)  # in the middle
    before, here, after = (local_lines(depth, at + shift, half) for shift in (-half, 0.0, half))
    rows = (after - 2 * here + before) / half
    found = smoothing(depth, value, rows, n_samples=samples, seed=seed)
    if not found.errors.variance.sum() > 1e-18:
        return Bend(note=NO_SPREAD)
    uncertain = uncertainty is not None and np.ptp(value) < typical_doubt(uncertainty)
    best = int(np.abs(found.value).argmax())
    drawn = found.value + found.drawn(samples, seed + 1)
    places = at[np.abs(drawn).argmax(axis=1)]
    low, high = np.quantile(places, [0.025, 0.975])
    return Bend(
        depth_um=float(at[best]),
        ci95_um=(float(low), float(high)),
        p_value=(1 + int((found.largest >= np.abs(found.value / found.se).max()).sum()))
        / (samples + 1),
        shallow_slope_per_um=float((here - before)[best] @ value) / half,
        deep_slope_per_um=float((after - here)[best] @ value) / half,
        note=WITHIN_READINGS if uncertain else "",
    )


def too_short(depth_um: npt.NDArray[np.float64]) -> str:
    """Return why planes at depths that are not `wide_enough` show no trend over depth."""
    return TOO_FEW if len(depth_um) < LEAST_PLANES else TOO_NARROW


def find_bends(profile: DepthProfile) -> dict[str, Bend]:
    """Find the bend of every component, including clean, over the kept planes."""
    kept = profile.kept
    depth, columns = profile.depth_um[kept], (profile.mean[kept].T, profile.uncertainty[kept].T)
    return {
        name: find_bend(depth, strengths, doubts)
        for name, strengths, doubts in zip(profile.components, *columns, strict=True)
    }
