"""How deep stacks can be used, alone and one against another."""

from __future__ import annotations

from dataclasses import dataclass

from cop_core.records.arrays import UNKNOWN, Interval

_NAN = float("nan")


@dataclass(frozen=True)
class DepthLimit:
    """How deep a stack can be used by one criterion; NaN where it is not known.

    Attributes
    ----------
    depth_um, ci95_um : float, (float, float)
        The limit and its 95 % interval; an end of it is NaN where it lies beyond the planes.
    deeper_than_um : float
        Depth of the last plane, where the limit lies deeper.
    shallower_than_um : float
        Depth of the first plane, where it lies above that.
    reading_shift_um : float
        How far the stated uncertainty of one plane's reading would move it.
    from_um : float
        Depth above which the stack cannot be used either; NaN where it can from its first plane on.
    """

    depth_um: float = _NAN
    ci95_um: Interval = UNKNOWN
    deeper_than_um: float = _NAN
    shallower_than_um: float = _NAN
    reading_shift_um: float = _NAN
    from_um: float = _NAN


@dataclass(frozen=True)
class UsableDepth:
    """How deep a stack is usable.

    Attributes
    ----------
    level : DepthLimit
        Depth at which shot noise rises above a level.
    signal : DepthLimit
        The last plane with signal.
    at_strength : float
        The level, a Poisson strength from 0 to 1.
    level_power_mw : float
        Power at the level depth; NaN if it is not stated.
    level_energy_mj_s, signal_energy_mj_s : float
        Energy on the sample over the planes down to each depth, in mJ per second spent on each
        plane; NaN if the depth, or the power of one of these planes, is not known.
    """

    level: DepthLimit
    signal: DepthLimit
    at_strength: float
    level_power_mw: float = _NAN
    level_energy_mj_s: float = _NAN
    signal_energy_mj_s: float = _NAN

    @property
    def photons(self) -> float:
        """Photons at full scale that correspond to the level."""
        return 4 / self.at_strength**2


@dataclass(frozen=True)
class UsableDifference:
    """How much deeper the first stack is usable than the second; NaN if not known.

    Attributes
    ----------
    level_um, level_ci95_um : float, (float, float)
        Of the level depths. An end that lies beyond the planes of a stack is infinite.
    signal_um, signal_ci95_um : float, (float, float)
        Of the signal depths.
    """

    level_um: float = _NAN
    level_ci95_um: Interval = UNKNOWN
    signal_um: float = _NAN
    signal_ci95_um: Interval = UNKNOWN
