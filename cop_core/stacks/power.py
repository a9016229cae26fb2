"""Excitation power at every depth: a number, a law, a table or a list."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.stacks.power_table import read_power_table

Floats: TypeAlias = npt.NDArray[np.float64]

_LAW_ADVICE: Final = "write gained:P0,l,Pmax with P0 and Pmax in mW and l in um"


@dataclass(frozen=True)
class GainedPower:
    """Power that grows with depth until a cap: P(z) = min(P0 exp(z / l), Pmax).

    Attributes
    ----------
    p0_mw : float
        Power at depth 0 in mW.
    length_um : float
        Depth in um over which the power grows by a factor e.
    max_mw : float
        Largest power in mW.
    """

    p0_mw: float
    length_um: float
    max_mw: float

    def __post_init__(self) -> None:
        for name in ("p0_mw", "length_um", "max_mw"):
            value = _number(getattr(self, name), name)
            if value <= 0:
                raise InputError(f"{name} must be larger than 0, not {value:g}", where="power")

    def at(self, depth_um: npt.ArrayLike) -> Floats:
        """Power in mW at every depth in um (same shape)."""
        return gained(depth_um, self.p0_mw, self.length_um, self.max_mw)

    def __str__(self) -> str:
        """Write the text that `parse` reads, exact to the last digit."""
        values = (self.p0_mw, self.length_um, self.max_mw)
        return "gained:" + ",".join(repr(float(value)) for value in values)

    @classmethod
    def parse(cls, text: str) -> GainedPower:
        """Read ``gained:P0,l,Pmax`` (mW, um, mW)."""
        parts = text.removeprefix("gained:").split(",")
        try:
            p0_mw, length_um, max_mw = (float(part) for part in parts)
        except ValueError:
            problem = f"{text!r} is not a gained power"
            raise InputError(problem, where="power", advice=_LAW_ADVICE) from None
        return cls(p0_mw, length_um, max_mw)


def constant(depth_um: npt.ArrayLike, power_mw: float) -> Floats:
    """Give the same power in mW at every depth in um (same shape)."""
    value = _number(power_mw, "power")
    if value < 0:
        raise InputError(f"power must not be negative, as {value:g} mW is", where="power")
    return np.full(_depths(depth_um).shape, value)


def gained(depth_um: npt.ArrayLike, p0_mw: float, length_um: float, max_mw: float) -> Floats:
    """Give the power min(P0 exp(z / l), Pmax) in mW at every depth.

    Parameters
    ----------
    depth_um : array_like
        Depths in um, finite and not negative.
    p0_mw, length_um, max_mw : float
        See GainedPower; finite and larger than 0.

    Returns
    -------
    ndarray, same shape as depth_um
        Power in mW.

    Raises
    ------
    InputError
        For parameters or depths outside their range.
    """
    law = GainedPower(p0_mw, length_um, max_mw)
    # the exponent is capped where exp would overflow: the cap on power holds long before
    exponent = np.minimum(_depths(depth_um) / law.length_um, 700.0)
    return np.asarray(np.minimum(law.p0_mw * np.exp(exponent), law.max_mw), dtype=np.float64)


def interpolate(depth_um: npt.ArrayLike, path: str | Path) -> Floats:
    """Power in mW at every depth in um, linear between the rows of a table.

    Raises
    ------
    InputError
        For a bad table (see read_power_table) or a depth outside its range.
    """
    known_um, known_mw = read_power_table(path)
    wanted = _depths(depth_um)
    low, high = known_um[0], known_um[-1]
    slack = 1e-9 * max(1.0, high)
    outside = wanted[(wanted < low - slack) | (wanted > high + slack)]
    if outside.size:
        raise InputError(
            f"the table covers {low:g} to {high:g} um, the stack needs {outside[0]:g} um",
            where=str(path),
            advice=f"extend the table to cover {wanted.min():g} to {wanted.max():g} um",
        )
    return np.asarray(np.interp(wanted, known_um, known_mw), dtype=np.float64)


def resolve_power(power: Any, depth_um: Floats, *, where: str = "power") -> Floats:
    """Power in mW at every plane, from whatever ``open_stack`` accepts as ``power``.

    Parameters
    ----------
    power : float, str, Path, GainedPower, array_like or None
        A power in mW, ``gained:P0,l,Pmax``, the path of a table, a law, one value a
        plane, or None for not stated.
    depth_um : ndarray of shape (planes,)
        Depth of every plane in um.
    where : str, optional
        What an error points at.

    Returns
    -------
    ndarray of shape (planes,)
        Power in mW; NaN where not stated.
    """
    if power is None:
        return np.full(depth_um.shape, np.nan)
    if isinstance(power, GainedPower):
        return power.at(depth_um)
    if isinstance(power, Path):
        return interpolate(depth_um, power)
    if isinstance(power, str):
        return _from_text(power, depth_um)
    if np.ndim(power) == 0:
        return constant(depth_um, power)
    return _one_a_plane(power, depth_um, where)


def _from_text(text: str, depth_um: Floats) -> Floats:
    if text.startswith("gained:"):
        return GainedPower.parse(text).at(depth_um)
    try:
        return constant(depth_um, float(text))
    except ValueError:
        return interpolate(depth_um, text)


def _one_a_plane(power: Any, depth_um: Floats, where: str) -> Floats:
    try:
        values = np.array(power, dtype=np.float64)
    except (TypeError, ValueError):
        problem = "the powers are not a list of numbers"
        raise InputError(problem, where=where, advice="pass one power in mW a plane") from None
    if values.shape != depth_um.shape:
        raise InputError(
            f"there are {values.size} powers for {depth_um.size} planes",
            where=where,
            advice="pass one power in mW a plane",
        )
    if not np.isfinite(values).all() or (values < 0).any():
        problem = "a power is negative or not finite"
        raise InputError(problem, where=where, advice="pass powers in mW of 0 or more")
    return values


def _depths(depth_um: npt.ArrayLike) -> Floats:
    try:
        values = np.asarray(depth_um, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("the depths are not numbers", where="depth_um") from None
    if not np.isfinite(values).all() or (values < 0).any():
        raise InputError("a depth is negative or not finite", where="depth_um")
    return values


def _number(value: Any, name: str) -> float:
    try:
        found = math.nan if isinstance(value, (bool, np.bool_)) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{name} must be a finite number, not {value!r}", where="power")
    return found
