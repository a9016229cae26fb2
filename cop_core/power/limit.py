"""The one place that every power on its way to a laser, a file or a user passes through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.recipes.power_options import HIGHEST_LIMIT_MW

_WHERE: Final = "power"


@dataclass(frozen=True, slots=True)
class PowerLimit:
    """The largest power at the sample, which nothing gets past.

    A power that is asked for is refused where it breaks the limit, never lowered in silence;
    a curve that is computed may be cut with `cap`, which says where it was cut.

    Attributes
    ----------
    max_mw : float
        Largest average power at the sample, above 0 and up to 1000.
    max_rise_mw : float or None
        Largest rise from one plane to the next; falling is always allowed.

    Raises
    ------
    InputError
        If an attribute is not a number in its range.
    """

    max_mw: float
    max_rise_mw: float | None = None

    def __post_init__(self) -> None:
        max_mw = _number(self.max_mw, "the power limit")
        if not 0 < max_mw <= HIGHEST_LIMIT_MW:
            raise _refusal(
                f"the power limit must lie between 0 and {HIGHEST_LIMIT_MW:g} mW, not {max_mw:g}",
                "Give the limit at the sample in mW",
            )
        object.__setattr__(self, "max_mw", max_mw)
        if self.max_rise_mw is not None:
            rise_mw = _number(self.max_rise_mw, "the largest rise of power")
            if rise_mw <= 0:
                raise _refusal(f"the largest rise of power must be above 0, not {rise_mw:g} mW")
            object.__setattr__(self, "max_rise_mw", rise_mw)

    def require(self, power_mw: Any, *, previous_mw: float | None = None) -> float:
        """Return a power that keeps the limit, or refuse it.

        Parameters
        ----------
        power_mw : int, float or numpy scalar
            Text, booleans and arrays are refused.
        previous_mw : float, optional
            Power before it, where `max_rise_mw` is to be kept.

        Returns
        -------
        float
            The same power, in [0, max_mw].

        Raises
        ------
        InputError
            If it is no finite number, negative, above the limit, or rises too steeply.
        """
        power = _number(power_mw, "a power")
        if power < 0:
            raise _refusal(f"a power of {power:g} mW is negative")
        if power > self.max_mw:
            raise _refusal(
                f"{power:.6g} mW is above the limit of {self.max_mw:.6g} mW at the sample",
                "Lower the power; powers are in mW",
            )
        if previous_mw is not None:
            self._require_rise(_number(previous_mw, "the power before"), power)
        return power + 0.0  # -0.0 becomes 0.0

    def require_all(self, power_mw: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the powers of successive planes, each as `require` wants it.

        Parameters
        ----------
        power_mw : sequence of numbers, or ndarray of shape (planes,)
            In the order in which they will be set.
        """
        kept: list[float] = []
        for power in _each(power_mw):
            kept.append(self.require(power, previous_mw=kept[-1] if kept else None))
        return np.array(kept, dtype=np.float64)

    def cap(self, power_mw: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Cut a computed curve at the limit and, where stated, at the largest rise.

        Parameters
        ----------
        power_mw : sequence of numbers, or ndarray of shape (planes,)
            Wanted powers, in the order in which they will be set; infinity is cut like any other
            power above the limit.

        Returns
        -------
        power_mw : ndarray of shape (planes,)
            Powers that keep the limit.
        capped : ndarray of bool, shape (planes,)
            Where a power was lowered.

        Raises
        ------
        InputError
            If a power is negative or no number.
        """
        kept: list[float] = []
        capped: list[bool] = []
        for wanted in _each(power_mw):
            highest = self.max_mw
            if kept and self.max_rise_mw is not None:
                highest = min(highest, kept[-1] + self.max_rise_mw)
            power = _number(wanted, "a power", finite=False)
            capped.append(power > highest)
            kept.append(highest if capped[-1] else self.require(power))
        return np.array(kept, dtype=np.float64), np.array(capped, dtype=np.bool_)

    def _require_rise(self, previous: float, power: float) -> None:
        highest = math.inf if self.max_rise_mw is None else previous + self.max_rise_mw
        if power > highest:  # compared as `cap` computes it, to the last digit
            raise _refusal(
                f"from {previous:.6g} to {power:.6g} mW is more than {self.max_rise_mw:.6g} mW "
                "at once",
                "Raise it in smaller steps",
            )


def _each(power_mw: npt.ArrayLike) -> list[Any]:
    """Return the powers one by one, with their types."""
    if isinstance(power_mw, np.ndarray) and power_mw.ndim == 1:
        return list(power_mw)
    if isinstance(power_mw, (list, tuple)):
        return list(power_mw)
    raise _refusal("the powers are no row of numbers", "Give one power in mW for each plane")


def _number(value: Any, name: str, *, finite: bool = True) -> float:
    """Return a plain float; only real numbers pass, and they are read once."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise _refusal(f"{name} must be a number in mW, not a {type(value).__name__}")
    try:
        number = float(value)
    except (OverflowError, ValueError, TypeError):
        number = math.nan
    if math.isnan(number) or (finite and math.isinf(number)):
        raise _refusal(f"{name} must be a finite number in mW")
    return number


def _refusal(problem: str, advice: str = "Give powers at the sample in mW") -> InputError:
    return InputError(problem, where=_WHERE, advice=advice)
