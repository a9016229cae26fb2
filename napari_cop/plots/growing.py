"""The planes read so far, for plots that grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.records import AnalysedProfile, DepthLimit, DepthProfile, UsableDepth
from cop_core.report.panels import has_depth

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.records import PlaneEstimate, Result

_ROOM: Final = 1.6
"""Length of the x axis relative to the planes so far, if their number is not known."""
_SAME: Final = 0.05
"""Share of the x axis by which its end may deviate before it is moved."""


@dataclass
class PlanesSoFar:
    """Planes read so far of one or two stacks, and the positions of those to come.

    Attributes
    ----------
    names : tuple of str
        Names of the protocols.
    depth_um : tuple of ndarray of shape (planes,)
        Depths in µm of each protocol's planes: all NaN if not known, empty if the planes to come
        are not known either.
    planes : tuple of dict
        Planes of each protocol by index.
    planned : list of int or None
        Total number of planes of each protocol, if known.
    """

    names: tuple[str, ...]
    components: tuple[str, ...]
    depth_um: tuple[npt.NDArray[np.float64], ...]
    planes: tuple[dict[int, PlaneEstimate], ...] = field(init=False)
    planned: list[int | None] = field(init=False)
    _ends: tuple[float, float] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.planes = tuple({} for _ in self.names)
        self.planned = [None] * len(self.names)

    @classmethod
    def of(cls, result: Result) -> PlanesSoFar:
        """Return the planes of a result, with all of them read."""
        profiles = [each.profile for each in result.analysed]
        names = tuple(each.name for each in result.analysed)
        depth_um = tuple(profile.depth_um for profile in profiles)
        found = cls(names, profiles[0].components, depth_um)
        for known, profile in zip(found.planes, profiles, strict=True):
            known.update({plane.index: plane for plane in profile.planes})
        return found

    def analysed(self) -> tuple[AnalysedProfile, ...]:
        """Return the planes read so far, in order, without lines."""
        return tuple(_unanalysed(self.profile(i)) for i in range(len(self.names)))

    def profile(self, protocol: int) -> DepthProfile:
        """Return the planes of a protocol read so far, in order."""
        some = self.planes[protocol]
        planes = tuple(some[i] for i in sorted(some))
        return DepthProfile(self.names[protocol], self.components, planes)

    def has_depth(self) -> bool:
        """Return whether depths are known, of the planes to come or else of those read so far."""
        planned = [depth for depth in self.depth_um if len(depth)]
        if planned:
            return all(np.isfinite(depth).any() for depth in planned)
        return has_depth(self.analysed())

    def positions(self, protocol: int) -> npt.NDArray[np.float64]:
        """Return the positions of the planes to come on the x axis, shape (planes,)."""
        depth = self.depth_um[protocol]
        return depth if self.has_depth() else np.arange(len(depth), dtype=np.float64)

    def x_range(self) -> tuple[float, float] | None:
        """Return the ends of the x axis; None if nothing is known of the planes to come.

        If at most their number is known, the axis has room for planes to come, and seldom moves.
        """
        x = np.concatenate([self.positions(i) for i in range(len(self.names))])
        x = x[np.isfinite(x)]
        if len(x):
            return _with_air(float(x.min()), float(x.max()))
        spans = [span for i in range(len(self.names)) if (span := self._span(i)) is not None]
        if not spans:
            return None
        lows, highs, ends = zip(*spans, strict=True)
        low, high = min(*lows, *ends), max(*highs, *ends)
        kept = self._ends
        if kept is None or min(lows) < kept[0] or max(highs) > kept[1] or self._moved(low, high):
            self._ends = _with_air(low, high)
        return self._ends

    def _span(self, protocol: int) -> tuple[float, float, float] | None:
        """Return the ends of the planes so far on the x axis, and the possible end of the last."""
        planes = sorted(self.planes[protocol].items())
        depths = self.has_depth()
        at = [(i, plane.depth_um if depths else float(i)) for i, plane in planes]
        at = [(i, x) for i, x in at if np.isfinite(x)]
        if not at:
            return None
        (first, start), (last, end) = at[0], at[-1]
        low, high = min(start, end), max(start, end)
        if last == first:
            return low, high, end
        planned = self.planned[protocol]
        steps = _ROOM * last if planned is None else planned - 1
        return low, high, start + (end - start) / (last - first) * (steps - first)

    def _moved(self, low: float, high: float) -> bool:
        """Return whether the planned planes end elsewhere than the axis."""
        if self._ends is None or None in self.planned:
            return False
        off = max(abs(a - b) for a, b in zip(self._ends, _with_air(low, high), strict=True))
        return off > _SAME * (high - low)


def _unanalysed(profile: DepthProfile) -> AnalysedProfile:
    """Return a profile without any analysis yet."""
    usable = UsableDepth(DepthLimit(), DepthLimit(), np.nan)
    return AnalysedProfile(profile.name, profile, {}, {}, {}, usable, None, np.nan, ())


def _with_air(low: float, high: float) -> tuple[float, float]:
    air = 0.02 * (high - low) or 1.0
    return low - air, high + air
