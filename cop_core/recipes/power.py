"""Forms of excitation power: a number, a law, a table, or one value for each plane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from cop_core.recipes.base import RefusedValueError, shown
from cop_core.recipes.values import AS_FILE

MW: Final = "mW"
"""Unit of power at the sample; powers in a file's own unit are converted only by a given scale."""
POWER_FORMS: Final = (
    "a number in mW, a CSV (depth_um,power_mw), gained:P0,l,Pmax, or metadata (as in the file)"
)
_LAW: Final = "gained:"
_LAW_ADVICE: Final = "use gained:P0,l,Pmax with P0 and Pmax in mW and l in µm, all above 0"


@dataclass(frozen=True)
class GainedPower:
    """Power that increases with depth up to a cap: P(z) = min(P0 exp(z / l), Pmax).

    Attributes
    ----------
    p0_mw : float
        At depth 0.
    length_um : float
        Depth over which the power increases by a factor of e.
    max_mw : float
        Largest power.

    Raises
    ------
    RefusedValueError
        If a parameter is not a finite number above 0.
    """

    p0_mw: float
    length_um: float
    max_mw: float

    def __post_init__(self) -> None:
        for name in ("p0_mw", "length_um", "max_mw"):
            object.__setattr__(self, name, _number(getattr(self, name), name))
            if not getattr(self, name) > 0:
                raise RefusedValueError(f"{name} is not above 0", advice=_LAW_ADVICE)

    def at(self, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the power in mW at depths in µm, same shape; depths must be 0 or more."""
        depth = np.asarray(depth_um, np.float64)
        bad = depth[~(np.isfinite(depth) & (depth >= 0))]
        if bad.size:
            raise RefusedValueError(
                f"{bad[0]:g} µm is not a valid depth", advice="use finite depths of 0 or more"
            )
        # the exponent is cut where exp would overflow: the cap holds long before
        exponent = np.minimum(depth / self.length_um, 700.0)
        return np.asarray(np.minimum(self.p0_mw * np.exp(exponent), self.max_mw))

    def __str__(self) -> str:
        """Write the text that `parse` reads, exact to the last digit."""
        return _LAW + ",".join(repr(x) for x in (self.p0_mw, self.length_um, self.max_mw))

    @classmethod
    def parse(cls, text: str) -> GainedPower:
        """Read ``gained:P0,l,Pmax`` (mW, µm, mW)."""
        try:
            p0_mw, length_um, max_mw = map(float, text.removeprefix(_LAW).split(","))
        except ValueError:
            raise RefusedValueError(
                f"{shown(text)} is not a gained power", advice=_LAW_ADVICE
            ) from None
        return cls(p0_mw, length_um, max_mw)


def given_power(value: Any) -> float | GainedPower | Path | tuple[float, ...] | None:
    """Return a power in the form in which it was given; None for the power in the file.

    Parameters
    ----------
    value : float, str, Path, GainedPower, sequence of float or None
        A text is a number, ``gained:P0,l,Pmax``, ``metadata`` or the path of a table.

    Raises
    ------
    RefusedValueError
        If it is none of these, negative or not finite.
    """
    if value is None or isinstance(value, GainedPower | Path):
        return value
    if isinstance(value, str):
        return _from_text(value)
    if np.ndim(value) == 0:
        return _not_negative(_number(value, "a power"))
    return tuple(_not_negative(_number(x, "a power")) for x in value)


Over = Literal["depth_um", "setting"]
"""Variable of a power table: depth, or the setting in a file's own unit."""
SCALE_FORMS: Final = (
    "mW at 100 % if the file states per cent, otherwise mW per unit; or a CSV (setting,power_mw)"
)


def given_scale(value: Any) -> float | Path | None:
    """Return the conversion from a file's own unit of power to mW; None if there is none.

    Parameters
    ----------
    value : float, str, Path or None
        A text is a number, ``metadata`` or the path of a table.

    Raises
    ------
    RefusedValueError
        If it is none of these, or a number that is not above 0.
    """
    found = given_power(value)
    if isinstance(found, GainedPower | tuple) or (isinstance(found, float) and not found > 0):
        raise RefusedValueError(f"{shown(value)} is not a power scale", advice=f"use {SCALE_FORMS}")
    return found


def _from_text(text: str) -> float | GainedPower | Path | None:
    bare = text.strip()
    if bare in ("", AS_FILE):
        return None
    if bare.startswith(_LAW):
        return GainedPower.parse(bare)
    try:
        number = math.nan if "_" in bare else float(bare)
    except ValueError:
        return Path(text)
    return Path(text) if "_" in bare else _not_negative(_number(number, "a power"))


def _number(value: Any, name: str) -> float:
    try:
        number = math.nan if isinstance(value, bool | np.bool_) else float(value)
    except (OverflowError, TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise RefusedValueError(f"{name} of {shown(value)} is not a finite number")
    return number


def _not_negative(power_mw: float) -> float:
    if power_mw < 0:
        raise RefusedValueError(
            f"a power of {power_mw:g} mW is negative", advice=f"use {POWER_FORMS}"
        )
    return power_mw


def _plain(power: Any) -> float | str | list[float] | None:
    if isinstance(power, tuple):
        return list(power)
    if isinstance(power, Path):
        return _path_text(power)
    return power if power is None or isinstance(power, float) else str(power)


def _path_text(path: Path) -> str:
    """Return a path as a text that is read as a path, even that of a table called ``5``."""
    try:
        as_read = _from_text(str(path))
    except RefusedValueError:
        as_read = None
    return str(path) if as_read == path else f"./{path}"


ScaleGiven = Annotated[
    Any,
    BeforeValidator(given_scale),
    PlainSerializer(_plain, return_type=Any),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string"},
                {"type": "null"},
            ],
            "description": SCALE_FORMS,
        }
    ),
]
"""Conversion from a file's own unit of power to mW; as JSON a number or the path of a table."""

PowerGiven = Annotated[
    Any,
    BeforeValidator(given_power),
    PlainSerializer(_plain, return_type=Any),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string"},
                {"type": "array", "items": {"type": "number", "minimum": 0}},
                {"type": "null"},
            ],
            "description": POWER_FORMS,
        }
    ),
]
"""Power of a stack in mW; as JSON a number, a text, or a list with one number for each plane."""
