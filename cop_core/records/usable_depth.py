"""Records of usable depth, of one stack and of the difference between two."""

from __future__ import annotations

from dataclasses import dataclass

from cop_core.records.arrays import UNKNOWN, Interval

_NAN = float("nan")


@dataclass(frozen=True)
class DepthLimit:
    """Usable depth of a stack by one criterion; NaN if it is not known.

    Attributes
    ----------
    depth_um, ci95_um : float, (float, float)
        The limit and its 95 % interval; an end of it that lies beyond the planes is NaN.
    deeper_than_um : float
        Depth of the last plane, if the limit lies deeper.
    shallower_than_um : float
        Depth of the first plane, if the limit lies above it.
    reading_shift_um : float
        Shift of the limit by the stated uncertainty of one plane's reading.
    from_um : float
        Depth above which the stack is not usable either; NaN if it is usable from its first plane.
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
