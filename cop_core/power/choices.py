"""What is asked of a recommended power, and which of it is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.power.bright_signal import BRIGHT_SHARE
from cop_core.power.held_quantity import FAINTEST, SIGNAL, SIGNAL_EXPONENTS, STRONGEST
from cop_core.power.layers import MOST_BREAKS
from cop_core.power.limit import PowerLimit
from cop_core.power.tissue import FOLLOW_UM
from cop_core.statistics.depth_window import limits_um

if TYPE_CHECKING:
    from cop_core.statistics.depth_window import Window


@dataclass(frozen=True)
class PowerChoices:
    """What is asked of a recommended power; the fields are told at `recommend_power`.

    Raises
    ------
    InputError
        If a choice is out of its range, contradicts another or breaks the limit.
    """

    max_power_mw: float
    surface_power_mw: float | None = None
    hold: str = SIGNAL
    level: float | None = None
    excitation_order: int = 3
    offset_counts: float | None = None
    depths_um: npt.ArrayLike | None = None
    max_rise_mw: float | None = None
    frame_time_s: float | None = None
    window_um: Window | None = None
    most_breaks: int = MOST_BREAKS
    share: float = BRIGHT_SHARE
    follow_um: float = FOLLOW_UM

    def __post_init__(self) -> None:
        surface_mw, limit = self.surface_power_mw, self.limit
        if surface_mw is not None and self.level is not None:
            raise InputError(
                "a level and a power at the surface are both given, and each sets the other",
                advice="Give one of them",
            )
        if surface_mw is not None and not limit.require(surface_mw):
            raise InputError("a power of 0 mW at the surface gives no signal to hold")
        _require_positive("level", self.level)
        _require_positive("frame_time_s", self.frame_time_s)
        if self.hold != SIGNAL:
            _require_component(self.hold, self.level)
        require_order(self.excitation_order)
        _require_follow(self.follow_um)
        if self.window_um is not None:
            limits_um(self.window_um)

    @property
    def limit(self) -> PowerLimit:
        """The limit that no power exceeds."""
        return PowerLimit(self.max_power_mw, self.max_rise_mw)


def require_order(order: Any) -> int:
    """Return the number of photons absorbed at once, or refuse it."""
    if isinstance(order, bool) or order not in (1, 2, 3, 4):
        raise InputError(
            f"an excitation order of {order!r}", advice="Give 3 (three-photon) or 2 (two-photon)"
        )
    return int(order)


def require_depths(depths_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return depths to recommend for, ascending, or refuse them."""
    depth = np.asarray(depths_um, np.float64)
    if depth.ndim != 1 or not len(depth) or not np.isfinite(depth).all():
        raise InputError("the depths are no row of finite numbers", where="depths_um")
    return np.unique(depth)


def _require_positive(name: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be above 0, not {value!r}", where=name)


def _require_component(component: str, level: float | None) -> None:
    if component not in SIGNAL_EXPONENTS:
        known = ", ".join((SIGNAL, *SIGNAL_EXPONENTS))
        raise InputError(
            f"power cannot hold {component!r}: how it follows the signal is not known",
            advice=f"Hold one of {known}",
        )
    if level is not None and not FAINTEST <= level <= STRONGEST:
        problem = f"a strength of {level:g} cannot be held"
        raise InputError(problem, where="level", advice="Give a share of 1, from 0.02 to 0.4")


def _require_follow(over_um: Any) -> None:
    if isinstance(over_um, bool) or not (math.isfinite(over_um) and over_um >= 0):
        raise InputError(
            f"the tissue cannot be followed over {over_um!r} um",
            where="follow_um",
            advice="Give a depth in um, or 0 to hold the law alone",
        )
