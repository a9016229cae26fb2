"""A recommended power, as a result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.records import in_mw
from cop_core.words import listed

if TYPE_CHECKING:
    from cop_core.power.attenuation import Attenuation
    from cop_core.power.energy import Energy
    from cop_core.power.held_quantity import HeldQuantity
    from cop_core.power.limit import PowerLimit
    from cop_core.recipes import RecommendRecipe
    from cop_core.records import DepthProfile, Provenance

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Recommendation:
    """A power for every depth, with its expected result.

    Attributes
    ----------
    attenuation : Attenuation
    held : HeldQuantity
        What is held, and how it depends on depth and power.
    level : float
        Level that is held: counts of bright signal, or a strength from 0 to 1.
    limit : PowerLimit
        Kept by `power`.
    depth_um, power : ndarray of shape (planes,)
        The curve, in `unit`; to six digits.
    wanted, low, high : ndarray of shape (planes,)
        Power that would hold the level without a limit, and its 95 % interval.
    capped : ndarray of bool, shape (planes,)
        Where the limit cuts off the curve.
    extrapolated : ndarray of bool, shape (planes,)
        Depths outside those of the fit.
    energy : Energy
    verdict : str
        Which power to use, in a sentence or two.
    notes : tuple of str
        What to know besides the curve, most important first.
    recipe : RecommendRecipe or None
        The request; None if it was not made from a recipe.
    provenance : Provenance or None
        Where the stack comes from.
    profile : DepthProfile or None
        Profile that was used in place of the stack's pixels, or to hold a component.
    """

    attenuation: Attenuation
    held: HeldQuantity
    level: float
    limit: PowerLimit
    depth_um: Array
    power: Array
    wanted: Array
    low: Array
    high: Array
    capped: Bools
    extrapolated: Bools
    energy: Energy
    verdict: str = ""
    notes: tuple[str, ...] = ()
    recipe: RecommendRecipe | None = None
    provenance: Provenance | None = None
    profile: DepthProfile | None = None

    @property
    def unit(self) -> str:
        """Of all powers: ``"mW"`` at the sample, or the file's own."""
        return self.limit.unit

    @property
    def power_mw(self) -> Array:
        """The curve in mW, NaN where it is not known in mW, shape (planes,)."""
        return in_mw(self.power, self.unit)

    @property
    def expected(self) -> Array:
        """Expected value of the held quantity at `power`, shape (planes,)."""
        return self.held.at(self.depth_um, self.power)

    @property
    def at_limit(self) -> Bools:
        """Where the maximum power, not the largest increase, limits the curve, shape (planes,)."""
        return (self.wanted > self.limit.max_power) & (self.power >= self.limit.max_power)

    @property
    def slowed(self) -> Bools:
        """Where the largest increase, not the maximum power, limits the curve, shape (planes,)."""
        return self.capped & ~self.at_limit

    @property
    def cap_depth_um(self) -> float | None:
        """Depth in µm at which the maximum power is reached, between planes; None if it is not."""
        return self._begin_um(int(np.argmax(self.at_limit))) if self.at_limit.any() else None

    def depths_text(self, planes: Bools) -> str:
        """Return where planes lie as sentences give it: ``"from 40 to 80 µm"``."""
        return listed([self._run_text(*run) for run in runs_of(planes)])

    def _run_text(self, first: int, last: int) -> str:
        begin_um = self._begin_um(first) if self.at_limit[first] else self.depth_um[first]
        begin, end = (f"{depth_um:.0f}" for depth_um in (begin_um, self.depth_um[last]))
        if last + 1 == len(self.depth_um):
            return f"from {begin} µm on"
        return f"at {end} µm" if begin == end else f"from {begin} to {end} µm"

    def _begin_um(self, first: int) -> float:
        """Return the depth in µm, between planes, at which a run of planes at the limit begins."""
        if first == 0 or self.wanted[first - 1] > self.limit.max_power:
            return float(self.depth_um[first])
        wanted = np.log(self.wanted[first - 1 : first + 1])
        share = (math.log(self.limit.max_power) - wanted[0]) / (wanted[1] - wanted[0])
        above, below = self.depth_um[first - 1 : first + 1]
        return float(above + min(max(share, 0.0), 1.0) * (below - above))


def runs_of(holds: Bools) -> Iterator[tuple[int, int]]:
    """Yield the first and the last plane of every run of planes for which something holds."""
    edges = np.flatnonzero(np.diff(holds, prepend=False, append=False))
    for first, after in edges.reshape(-1, 2).tolist():
        yield first, after - 1
