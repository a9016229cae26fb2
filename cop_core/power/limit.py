"""The one place that every power on its way to a laser, a file or a user passes through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.recipes import MW
from cop_core.recipes.power_options import HIGHEST_LIMIT_MW

_WHERE: Final = "power"


@dataclass(frozen=True, slots=True)
class PowerLimit:
    """The largest power at the sample, which no power can exceed.

    A requested power is refused if it exceeds the limit, never silently lowered; a computed curve
    may be cut off with `cap`, which returns where it was cut off.

    Attributes
    ----------
    max_power : float
        Largest average power, above 0; at the sample, in mW, up to 1000.
    max_rise : float or None
        Largest increase from one plane to the next; a decrease is always allowed.
    unit : str
        Unit of all powers: ``"mW"`` at the sample, or that of a file or device.

    Raises
    ------
    InputError
        If an attribute is not a number in its range.
    """

    max_power: float
    max_rise: float | None = None
    unit: str = MW

    def __post_init__(self) -> None:
        max_power = _number(self.max_power, "the power limit")
        highest = HIGHEST_LIMIT_MW if self.unit == MW else math.inf
        if not 0 < max_power <= highest:
            within = f"between 0 and {highest:g} mW" if self.unit == MW else "above 0"
            raise _refusal(
                f"the power limit must lie {within}, not {max_power:g}",
                f"set the limit in {self.unit}",
            )
        object.__setattr__(self, "max_power", max_power)
        if self.max_rise is not None:
            rise = _number(self.max_rise, "the largest power increase")
            if rise <= 0:
                raise _refusal(
                    f"the largest power increase must be above 0, not {rise:g} {self.unit}"
                )
            object.__setattr__(self, "max_rise", rise)

    def require(self, power: Any, *, previous: float | None = None) -> float:
        """Return a power within the limit, or refuse it.

        Parameters
        ----------
        power : int, float or numpy scalar
            Text, booleans and arrays are refused.
        previous : float, optional
            Previous power, if `max_rise` is to be respected.

        Returns
        -------
        float
            The same power, in [0, max_power].

        Raises
        ------
        InputError
            If it is not a finite number, negative, above the limit, or increases too much.
        """
        wanted = _number(power, "a power")
        if wanted < 0:
            raise _refusal(f"a power of {wanted:g} {self.unit} is negative")
        if wanted > self.max_power:
            raise _refusal(
                f"{wanted:.6g} {self.unit} is above the limit of {self.max_power:.6g} {self.unit}",
                f"lower the power; powers are in {self.unit}",
            )
        if previous is not None:
            self._require_rise(_number(previous, "the previous power"), wanted)
        return wanted + 0.0  # -0.0 becomes 0.0

    def require_all(self, powers: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the powers of successive planes, each checked with `require`.

        Parameters
        ----------
        powers : sequence of numbers, or ndarray of shape (planes,)
            In the order in which they will be set.
        """
        kept: list[float] = []
        for power in _each(powers):
            kept.append(self.require(power, previous=kept[-1] if kept else None))
        return np.array(kept, dtype=np.float64)

    def cap(self, powers: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Cut off a computed curve at the limit and, if set, at the largest increase.

        Parameters
        ----------
        powers : sequence of numbers, or ndarray of shape (planes,)
            Desired powers, in the order in which they will be set; infinity is cut off like any
            other power above the limit.

        Returns
        -------
        power : ndarray of shape (planes,)
            Powers within the limit.
        capped : ndarray of bool, shape (planes,)
            Where a power was lowered.

        Raises
        ------
        InputError
            If a power is negative or not a number.
        """
        kept: list[float] = []
        capped: list[bool] = []
        for wanted in _each(powers):
            highest = self.max_power
            if kept and self.max_rise is not None:
                highest = min(highest, kept[-1] + self.max_rise)
            power = _number(wanted, "a power", finite=False)
            capped.append(power > highest)
            kept.append(highest if capped[-1] else self.require(power))
        return np.array(kept, dtype=np.float64), np.array(capped, dtype=np.bool_)

    def _require_rise(self, previous: float, power: float) -> None:
        highest = math.inf if self.max_rise is None else previous + self.max_rise
        if power > highest:  # compared as `cap` computes it, to the last digit
            raise _refusal(
                f"from {previous:.6g} to {power:.6g} {self.unit} is more than "
                f"{self.max_rise:.6g} {self.unit} in one step",
                "raise the power in smaller steps",
            )


def _each(powers: npt.ArrayLike) -> list[Any]:
    """Return the powers one by one, with their types."""
    if isinstance(powers, np.ndarray) and powers.ndim == 1:
        return list(powers)
    if isinstance(powers, (list, tuple)):
        return list(powers)
    raise _refusal("the powers are not a sequence of numbers", "use one power for each plane")


def _number(value: Any, name: str, *, finite: bool = True) -> float:
    """Return a plain float; only real numbers pass, and they are read once."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise _refusal(f"{name} must be a number, not a {type(value).__name__}")
    try:
        number = float(value)
    except (OverflowError, ValueError, TypeError):
        number = math.nan
    if math.isnan(number) or (finite and math.isinf(number)):
        raise _refusal(f"{name} must be a finite number")
    return number


def _refusal(problem: str, advice: str = "use powers in the unit of the limit") -> InputError:
    return InputError(problem, where=_WHERE, advice=advice)
