"""Records of a comparison of two arms of several stacks each."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from cop_core.records.arrays import UNKNOWN, Interval
from cop_core.records.difference import ComponentDifference
from cop_core.records.profile import DepthProfile

_NAN = float("nan")


@dataclass(frozen=True)
class ArmsEffect:
    """Effect of the protocol on one component, over animals (or stacks, if no animals are stated).

    NaN means undefined.

    Attributes
    ----------
    first_slope_per_um, second_slope_per_um : float
        Mean slope of each arm; with 95 % intervals.
    first_stacks, second_stacks : tuple of float
        Slopes of the stacks of each arm, over the depths that all share.
    difference : ComponentDifference
        First minus second: paired t-test if each animal has both arms, otherwise Welch's test.
    """

    component: str
    first_slope_per_um: float = _NAN
    first_ci95: Interval = UNKNOWN
    second_slope_per_um: float = _NAN
    second_ci95: Interval = UNKNOWN
    first_stacks: tuple[float, ...] = ()
    second_stacks: tuple[float, ...] = ()
    difference: ComponentDifference = field(default_factory=ComponentDifference)


@dataclass(frozen=True)
class ArmsDepth:
    """How deep each arm can be used, by one criterion, and how much deeper the first.

    A limit beyond the planes of a stack counts as `counted_to_um`, and so do all deeper limits: the
    means are restricted means, as of survival times.

    Attributes
    ----------
    first_um, second_um : float
        Mean over the tested animals.
    difference_um, ci95_um, p_value
        First minus second, tested in the same way as slopes.
    p_holm : float
        `p_value` after Holm's correction over the pairs of protocols.
    counted_to_um : float
        Last plane of the shortest stack whose limit lies deeper; NaN if there is none.
    n_deeper : int
        Stacks whose limit lies beyond their planes.
    n_untold : int
        Stacks left out because their limit is not known.
    """

    first_um: float = _NAN
    second_um: float = _NAN
    difference_um: float = _NAN
    ci95_um: Interval = UNKNOWN
    p_value: float = _NAN
    p_holm: float = _NAN
    counted_to_um: float = _NAN
    n_deeper: int = 0
    n_untold: int = 0


@dataclass(frozen=True)
class ArmsComparison:
    """Two arms of several stacks each, and their differences.

    Attributes
    ----------
    names : (str, str)
        Of the protocols.
    first, second : tuple of DepthProfile
        The stacks of both arms.
    animals : tuple of hashable or None
        Animal of each stack, those of the first arm first; None if not stated.
    effects : tuple of ArmsEffect
        One for each component, clean included.
    caveats : tuple of str
        Caveats.
    window_um : (float, float)
        The depths at which all stacks have usable planes, including those of further arms.
    paired : bool
        Whether each animal has both arms.
    n_units : (int, int)
        Animals in each arm (or stacks, if no animals are stated).
    level, signal : ArmsDepth
    at_strength : float
        The level, a Poisson strength.
    verdict : str
    """

    names: tuple[str, str]
    first: tuple[DepthProfile, ...]
    second: tuple[DepthProfile, ...]
    animals: tuple[Hashable, ...] | None
    effects: tuple[ArmsEffect, ...]
    caveats: tuple[str, ...]
    window_um: Interval
    paired: bool
    n_units: tuple[int, int]
    level: ArmsDepth
    signal: ArmsDepth
    at_strength: float
    verdict: str = ""

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.first[0].components

    def of(self, component: str) -> ArmsEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]
