"""Energy of a power curve, compared with a fixed power and an exponential law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Energy:
    """Light on the sample over the planes that reach the level, all at equal noise.

    The recommended power is the least that brings a plane to the level. The other two are scaled
    to reach the level on all these planes, so neither can cost less.

    Attributes
    ----------
    planes : int
        Planes that reach the level.
    recommended, fixed, exponential : float
        Sum of power over these planes, in power times planes.
    fixed_power : float
    exponential_p0, exponential_length_um : float
        The law P0 exp(z / l) with the length that fits the curve best over these planes (least
        squares of the log).
    acquired : float
        Sum of power over the stack's own planes at these depths; NaN if the depths are not those
        of the stack.
    frame_time_s : float or None
        Time per plane.
    """

    planes: int
    recommended: float
    fixed: float
    exponential: float
    fixed_power: float
    exponential_p0: float
    exponential_length_um: float
    acquired: float
    frame_time_s: float | None

    @property
    def saving_on_exponential(self) -> float:
        """Fraction of the exponential law's energy saved, in [0, 1); NaN without planes."""
        return 1 - self.recommended / self.exponential if self.exponential else float("nan")

    @property
    def saving_on_fixed(self) -> float:
        """Fraction of the fixed power's energy saved, in [0, 1); NaN without planes."""
        return 1 - self.recommended / self.fixed if self.fixed else float("nan")

    @property
    def recommended_mj(self) -> float:
        """Energy of the recommended curve in mJ; NaN where the frame time is not known."""
        return self.recommended * (self.frame_time_s or float("nan"))


def compare_energy(
    depth_um: Array,
    power: Array,
    reached: npt.NDArray[np.bool_],
    *,
    max_power: float,
    acquired: Array,
    frame_time_s: float | None,
) -> Energy:
    """Compare a curve with fixed and exponential power, over the planes that reach the level.

    Parameters
    ----------
    depth_um, power, reached : ndarray of shape (planes,)
        The curve, and where it reaches the level.
    max_power : float
        Limit for every curve.
    acquired : ndarray of shape (planes,)
        Power the stack was taken with; NaN where it has no such plane.
    frame_time_s : float or None
    """
    depth, power = depth_um[reached], power[reached]
    length = _length_um(depth, power)
    fixed_power = float(power.max(initial=0.0))
    p0 = float((power * np.exp(-depth / length)).max(initial=0.0))
    exponential = np.minimum(p0 * np.exp(depth / length), max_power)
    return Energy(
        planes=int(reached.sum()),
        recommended=float(power.sum()),
        fixed=fixed_power * len(power),
        exponential=float(exponential.sum()),
        fixed_power=fixed_power,
        exponential_p0=p0,
        exponential_length_um=length,
        acquired=float(acquired[reached].sum()),
        frame_time_s=frame_time_s,
    )


def _length_um(depth_um: Array, power: Array) -> float:
    """Return the length in µm of the exponential law nearest to a curve; infinite for none."""
    if len(depth_um) < 2:
        return float("inf")
    slope = float(np.polyfit(depth_um, np.log(power), 1)[0])
    return 1 / slope if slope > 0 else float("inf")
