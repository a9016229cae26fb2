"""Planes that were read so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cop_core.depth.profile import DepthProfile
from cop_core.report.panels import has_depth
from cop_core.report.protocols import Protocol

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.depth.profile import PlaneEstimate


@dataclass
class Reading:
    """Planes that were read so far of one or two stacks, and where those to come will lie.

    Attributes
    ----------
    names : tuple of str
        Names of the protocols.
    components : tuple of str
        Names of the strengths.
    depth_um : tuple of ndarray of shape (planes,)
        Depths in um of each protocol's planes: all NaN where not known, empty where the planes
        to come are not known either.
    planes : tuple of dict
        For each protocol its planes by index.
    """

    names: tuple[str, ...]
    components: tuple[str, ...]
    depth_um: tuple[npt.NDArray[np.float64], ...]
    planes: tuple[dict[int, PlaneEstimate], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.planes = tuple({} for _ in self.names)

    def protocols(self) -> tuple[Protocol, ...]:
        """Return the planes read so far, in order, without lines."""
        ordered = (tuple(plane for _, plane in sorted(some.items())) for some in self.planes)
        return tuple(
            Protocol(name, DepthProfile(name, self.components, planes), {})
            for name, planes in zip(self.names, ordered, strict=True)
        )

    def has_depth(self) -> bool:
        """Return whether depths are known: of the planes to come, else of those read so far."""
        planned = [depth for depth in self.depth_um if len(depth)]
        if planned:
            return all(np.isfinite(depth).any() for depth in planned)
        return has_depth(self.protocols())

    def positions(self, protocol: int) -> npt.NDArray[np.float64]:
        """Return where the planes to come will lie on the x axis, shape (planes,)."""
        depth = self.depth_um[protocol]
        return depth if self.has_depth() else np.arange(len(depth), dtype=np.float64)

    def x_range(self) -> tuple[float, float] | None:
        """Return the ends of the x axis, None where the planes to come are not known."""
        x = np.concatenate([self.positions(i) for i in range(len(self.names))])
        x = x[np.isfinite(x)]
        if not len(x):
            return None
        air = 0.02 * float(np.ptp(x)) or 1.0
        return float(x.min()) - air, float(x.max()) + air
