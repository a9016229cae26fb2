"""How much deeper one of two stacks can be used than the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.components import SDS_OF_95
from cop_core.records import DepthLimit, UsableDepth, UsableDifference
from cop_core.records.arrays import UNKNOWN, Interval
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.near_planes import ReadingErrors, share_of_error
from cop_core.statistics.usable_depth import (
    SIGNAL_SD_STEPS,
    draws,
    limit_of,
    poisson_curve,
    step_um,
    usable_depth_of,
)

if TYPE_CHECKING:
    from cop_core.recipes import ComparisonOptions
    from cop_core.records import DepthProfile
    from cop_core.statistics.plane_errors import PlaneErrors

Array = npt.NDArray[np.float64]


def usable_depths(
    first: DepthProfile, second: DepthProfile, options: ComparisonOptions, *, same_tissue: bool
) -> tuple[tuple[UsableDepth, UsableDepth], UsableDifference]:
    """Return how deep two stacks can be used, and how much deeper the first.

    If both show the same tissue, what they share at a depth is not an error of either.
    """
    stacks, curves = (first, second), [poisson_curve(p) for p in (first, second)]
    errors = (_errors_of(*curves) if same_tissue else None) or (None, None)
    drawn = [
        draws(curve, options.level, each, samples=options.n_bootstrap, seed=options.seed + number)
        for number, (curve, each) in enumerate(zip(curves, errors, strict=True))
    ]
    one, other = (
        usable_depth_of(stack, limit_of(curve, options.level, each), options.level)
        for stack, curve, each in zip(stacks, curves, drawn, strict=True)
    )
    last_um = [float(curve[0][-1]) if curve.size else float("nan") for curve in curves]
    level, level_ci95 = _level_difference(one.level, other.level, drawn, last_um)
    signal, signal_ci95 = _signal_difference(one.signal, other.signal, step_um(stacks))
    return (one, other), UsableDifference(level, level_ci95, signal, signal_ci95)


def _errors_of(first: Array, second: Array) -> tuple[PlaneErrors, PlaneErrors] | None:
    """Return the errors of the readings of one tissue; None where too few depths are shared."""
    depth, a, b = np.intersect1d(first[0].round(6), second[0].round(6), return_indices=True)
    if len(depth) < LEAST_PLANES:
        return None
    y, x = first[1][a], second[1][b]
    own, others, apart = (ReadingErrors.of(depth, each).planes for each in (y, x, y - x))
    share = share_of_error(own, others, apart)
    one, other = (
        ReadingErrors.of(z, y).planes.shared(np.interp(z, depth, share, left=1, right=1), apart.rho)
        for z, y, _ in (first, second)
    )
    return one, other


def _level_difference(
    first: DepthLimit, second: DepthLimit, drawn: list[Array], last_um: list[float]
) -> tuple[float, Interval]:
    (apart,) = _apart(np.array([_end(first)]), np.array([_end(second)]), last_um)
    if not all(map(len, drawn)) or np.isnan(apart):
        return float("nan"), UNKNOWN
    differences = np.nan_to_num(
        _apart(drawn[0], drawn[1], last_um), nan=0.0, posinf=np.inf, neginf=-np.inf
    )
    low, high = np.quantile(differences, [0.025, 0.975], method="nearest")
    return float(apart), (float(low), float(high))


def _apart(first: Array, second: Array, last_um: list[float]) -> Array:
    """Return differences of level depths; NaN where a stack ends before the level is reached.

    A stack that never reaches the level counts as deeper if its last plane is below the other's
    depth.
    """
    told = np.where(np.isposinf(first), last_um[0] > second, True)
    told &= np.where(np.isposinf(second), last_um[1] > first, True)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(told, first - second, np.nan))


def _signal_difference(
    first: DepthLimit, second: DepthLimit, step_um: float
) -> tuple[float, Interval]:
    half = SDS_OF_95 * SIGNAL_SD_STEPS * 2**0.5 * step_um
    ends = [_end(limit) for limit in (first, second)]
    if np.isnan(ends).any() or np.isinf(ends).all():
        return float("nan"), UNKNOWN
    # a stack that never loses its signal is deeper by more than its last plane says
    least = [
        limit.deeper_than_um if np.isinf(end) else end
        for limit, end in zip((first, second), ends, strict=True)
    ]
    apart = float(least[0] - least[1])
    if np.isinf(ends[0]):
        return float("inf"), (apart - half, float("inf"))
    if np.isinf(ends[1]):
        return -float("inf"), (-float("inf"), apart + half)
    return apart, (apart - half, apart + half)


def _end(limit: DepthLimit) -> float:
    """Return a limit as a number, infinite where it lies beyond the planes."""
    if np.isfinite(limit.deeper_than_um):
        return float("inf")
    return -float("inf") if np.isfinite(limit.shallower_than_um) else limit.depth_um
