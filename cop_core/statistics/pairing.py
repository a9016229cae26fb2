"""Planes of two stacks that lie at the same depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.records.arrays import UNKNOWN, Interval

if TYPE_CHECKING:
    from cop_core.records import DepthProfile

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PairedPlanes:
    """Which planes of two stacks are compared with each other.

    Attributes
    ----------
    depth_um : ndarray of shape (pairs,)
        Mean depth of both planes, ascending.
    first, second : ndarray of int, shape (pairs,)
        Places of the planes in their stacks.
    n_dropped : int
        Planes within the depths of both stacks that have no partner with a number.
    """

    depth_um: Array
    first: Indices
    second: Indices
    n_dropped: int

    @property
    def window_um(self) -> Interval:
        """Depths that both stacks keep."""
        return (float(self.depth_um[0]), float(self.depth_um[-1])) if len(self) else UNKNOWN

    def __len__(self) -> int:
        return len(self.depth_um)


def paired_planes(first: DepthProfile, second: DepthProfile) -> PairedPlanes:
    """Pair each kept plane of two stacks with the nearest of the other.

    Two planes are paired if each is the other's nearest and they are within half the finer step.
    """
    kept = [_kept(profile) for profile in (first, second)]
    depths = [p.depth_um[k] for p, k in zip((first, second), kept, strict=True)]
    if not all(map(len, depths)):
        return PairedPlanes(np.empty(0), kept[0][:0], kept[1][:0], 0)
    away = np.abs(depths[0][:, None] - depths[1])
    step = min((_step(depth) for depth in depths if len(depth) > 1), default=0.0)
    at = np.arange(len(depths[0]))
    partner = away.argmin(axis=1)
    mutual = away.argmin(axis=0)[partner] == at
    a = at[mutual & (away[at, partner] <= step / 2 * (1 + 1e-9))]
    b = partner[a]
    depth = (depths[0][a] + depths[1][b]) / 2
    n_dropped = sum(_within(d, depth) for d in (first.depth_um, second.depth_um)) - 2 * len(a)
    return PairedPlanes(depth, kept[0][a], kept[1][b], max(n_dropped, 0))


def _kept(profile: DepthProfile) -> Indices:
    """Return the places of the planes with a number and a depth, in order of depth."""
    places = np.flatnonzero(profile.kept & np.isfinite(profile.depth_um))
    return places[np.argsort(profile.depth_um[places], kind="stable")]


def _step(depth_um: Array) -> float:
    return float(np.median(np.diff(depth_um)))


def _within(depth_um: Array, window: Array) -> int:
    """Return the number of depths within a window, including its ends."""
    if not len(window):
        return 0
    return int(((depth_um >= window[0] - 1e-9) & (depth_um <= window[-1] + 1e-9)).sum())
