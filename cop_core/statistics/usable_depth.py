"""How deep a stack can be used: down to a level of shot noise, and down to its last signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.components import SDS_OF_95
from cop_core.records import NO_SIGNAL, DepthLimit, UsableDepth
from cop_core.statistics.depth_order import by_depth
from cop_core.statistics.depths import limits_um
from cop_core.statistics.local_smooth import half_width_um, local_lines, studentised, wide_enough
from cop_core.statistics.near_planes import ReadingErrors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.records import DepthProfile
    from cop_core.statistics.plane_errors import PlaneErrors

Array = npt.NDArray[np.float64]

HELD: Final = "poisson"
"""Component whose level limits the usable depth."""
LOST: Final = 3
"""Number of successive planes without signal that end a stack."""
SIGNAL_SD_STEPS: Final = 0.75
"""SD of the signal depth, in steps, where one tissue is imaged again: 15 µm at 20 µm."""


def usable_depth_of(profile: DepthProfile, level: DepthLimit, strength: float) -> UsableDepth:
    """Return how deep a stack can be used, and the power and energy that this took."""
    signal = signal_depth(profile)
    return UsableDepth(
        level,
        signal,
        strength,
        level_power_mw=power_at(profile, level.depth_um),
        level_energy_mj_s=energy_to(profile, level.depth_um),
        signal_energy_mj_s=energy_to(profile, signal.depth_um),
    )


def level_depth(profile: DepthProfile, level: float, *, samples: int, seed: int) -> DepthLimit:
    """Return the depth at which the smoothed Poisson strength rises through a level.

    Parameters
    ----------
    profile : DepthProfile
        Read with weights whose Poisson strength is that of shot noise.
    level : float
        Strength, 0 to 1.
    samples, seed : int
        Of the bootstrap.
    """
    curve = poisson_curve(profile)
    return limit_of(curve, level, draws(curve, level, samples=samples, seed=seed))


def poisson_curve(profile: DepthProfile) -> Array:
    """Return depth, Poisson strength and its uncertainty of the kept planes, shape (3, n).

    None where the weights' Poisson strength is not that of shot noise.
    """
    weights = profile.weights
    if weights is None or not weights.physical or HELD not in profile.components:
        return np.empty((3, 0))
    kept = profile.kept
    doubt = profile.uncertainty[kept, profile.components.index(HELD)]
    return by_depth(profile.depth_um[kept], profile.of(HELD)[kept], np.nan_to_num(doubt))


def smoothed(curve: Array) -> tuple[Array, Array]:
    """Return depth and the smooth, (n,) each, in which a level is looked for; none of few planes.

    Parameters
    ----------
    curve : ndarray of shape (3, n)
        From `poisson_curve`.
    """
    depth, values, _ = curve
    if not wide_enough(depth):
        return np.empty(0), np.empty(0)
    return depth, local_lines(depth, depth, half_width_um(depth)) @ values


def draws(
    curve: Array, level: float, errors: PlaneErrors | None = None, *, samples: int, seed: int
) -> Array:
    """Return the level depth for redrawn errors, infinite where the level is not crossed.

    Parameters
    ----------
    curve : ndarray of shape (3, n)
        From `poisson_curve`.
    level : float
        Strength, 0 to 1.
    errors : PlaneErrors, optional
        Of the readings, where they are known better than from the curve's own roughness.
    samples, seed : int
        Of the bootstrap.
    """
    depth, values, _ = curve
    if not wide_enough(depth):
        return np.empty(0)
    rows = local_lines(depth, depth, half_width_um(depth))
    errors = errors or ReadingErrors.of(depth, values).planes
    drawn = studentised(errors, rows, n_samples=samples, seed=seed)
    return crossings(depth, rows @ values + drawn * np.sqrt(errors.variance_of(rows)), level)


def limit_of(curve: Array, level: float, drawn: Array) -> DepthLimit:
    """Return where the smoothed curve rises through a level, with its bootstrap interval.

    With too few planes for a curve, it is known only if all lie on one side of the level.
    """
    depth, values, doubt = curve
    if not len(drawn):
        return _on_one_side(depth, values, level)
    _, smooth = smoothed(curve)
    (at,) = crossings(depth, smooth[None], level)
    low, high = (_finite(end) for end in np.quantile(drawn, [0.025, 0.975], method="nearest"))
    if np.isneginf(at):
        return DepthLimit(ci95_um=(low, high), shallower_than_um=float(depth[0]))
    start = _first_below(depth, smooth, level)
    if np.isposinf(at):
        last = float(depth[-1])
        return DepthLimit(ci95_um=(low, high), deeper_than_um=last, from_um=start)
    slope = float(np.interp(at, depth, np.gradient(smooth, depth)))
    shift = float(np.interp(at, depth, doubt)) / slope if slope > 0 else float("nan")
    return DepthLimit(float(at), (low, high), reading_shift_um=shift, from_um=start)


def _first_below(depth: Array, curve: Array, level: float) -> float:
    """Return the depth at which a curve falls below a level; NaN if it begins below it."""
    if curve[0] < level:
        return float("nan")
    at = int((curve < level).argmax())
    share = (curve[at - 1] - level) / (curve[at - 1] - curve[at])
    return float(depth[at - 1] + share * (depth[at] - depth[at - 1]))


def _on_one_side(depth: Array, values: Array, level: float) -> DepthLimit:
    below = values < level
    if len(depth) and below.all():
        return DepthLimit(deeper_than_um=float(depth[-1]))
    if len(depth) and not below.any():
        return DepthLimit(shallower_than_um=float(depth[0]))
    return DepthLimit()


def crossings(depth_um: Array, curves: Array, level: float) -> Array:
    """Return the depth at which each curve first rises through a level.

    A curve that begins above the level and falls below it is judged from there on: material above
    the tissue does not end a stack.

    Parameters
    ----------
    depth_um : ndarray of shape (n,)
    curves : ndarray of shape (samples, n)
    level : float

    Returns
    -------
    ndarray of shape (samples,)
        Interpolated between planes. Infinite where the last plane is still below the level,
        minus infinite where all planes are above it.
    """
    above = curves >= level
    rises = ~above[:, :-1] & above[:, 1:]
    row, at = np.arange(len(curves)), rises.argmax(axis=1)
    low, high = curves[row, at], curves[row, at + 1]
    share = np.divide(level - low, high - low, out=np.zeros(len(curves)), where=high > low)
    found = depth_um[at] + share * (depth_um[at + 1] - depth_um[at])
    never = np.where(above[:, -1], -np.inf, np.inf)
    return np.asarray(np.where(rises.any(axis=1), found, never))


def signal_depth(profile: DepthProfile) -> DepthLimit:
    """Return the depth of the last plane before three in a row, or all to the end, without signal.

    Planes left out for another reason say nothing and are passed over.
    """
    known = _signal_planes(profile)
    if not len(known) or not known[:, 1].any():
        return DepthLimit()
    depth, there = known[:, 0], known[:, 1].astype(bool)
    end = _end_of_signal(there)
    if end is None:
        return DepthLimit(deeper_than_um=float(depth[-1]))
    half = SDS_OF_95 * SIGNAL_SD_STEPS * float(np.median(np.diff(depth)))
    return DepthLimit(float(depth[end]), (float(depth[end]) - half, float(depth[end]) + half))


def _signal_planes(profile: DepthProfile) -> Array:
    """Return depth and presence of signal of the planes that show it, in order of depth."""
    low, high = limits_um(profile.window_um) if profile.window_um else (-np.inf, np.inf)
    rows = [
        (plane.depth_um, not plane.reason)
        for plane in profile.planes
        if plane.reason in ("", NO_SIGNAL) and low <= plane.depth_um <= high
    ]
    return np.array(sorted(rows), dtype=np.float64).reshape(-1, 2)


def _end_of_signal(there: npt.NDArray[np.bool_]) -> int | None:
    """Return the index of the last plane with signal; None where it is never lost."""
    start = int(there.argmax())
    for i in range(start, len(there) - 1):
        following = there[i + 1 : i + 1 + LOST]
        if there[i] and not following.any():
            return i
    return None


def step_um(stacks: Sequence[DepthProfile]) -> float:
    """Return the coarsest step of some stacks; NaN where none has two planes."""
    steps = [np.diff(np.unique(s.depth_um[np.isfinite(s.depth_um)])) for s in stacks]
    return max((float(np.median(step)) for step in steps if len(step)), default=float("nan"))


def _finite(value: float) -> float:
    return float(value) if np.isfinite(value) else float("nan")


def power_at(profile: DepthProfile, depth_um: float) -> float:
    """Return the power at a depth in mW; NaN where it, or the depth, is not known.

    Between two planes, it is known if it is known at both.
    """
    depth, stated = by_depth(profile.depth_um, np.isfinite(profile.power_mw))
    if not len(depth) or np.interp(depth_um, depth, stated, left=0.0, right=0.0) != 1:
        return float("nan")
    depth, power = by_depth(profile.depth_um, profile.power_mw)
    return float(np.interp(depth_um, depth, power))


def energy_to(profile: DepthProfile, depth_um: float) -> float:
    """Return the energy on the sample down to a depth, in mJ for each second that a plane takes.

    NaN where the depth, or the power of one of these planes, is not known.
    """
    if np.isnan(depth_um):
        return float("nan")
    return float(profile.power_mw[profile.depth_um <= depth_um].sum())
