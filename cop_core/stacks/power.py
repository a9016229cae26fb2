"""Excitation power at every plane, from any form and unit given or stated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError, option
from cop_core.recipes import MW, GainedPower, RefusedValueError, given_power
from cop_core.stacks.power_table import interpolate

if TYPE_CHECKING:
    from cop_core.recipes import StackOptions
    from cop_core.stacks.dataset import StatedPower

Floats = npt.NDArray[np.float64]

SCALE_FILE: Final = "power_scale.csv"
"""A table of this name beside a stack converts the power in its file to mW."""
PER_CENT: Final = "%"


@dataclass(frozen=True)
class PlanePower:
    """Power at every plane.

    Attributes
    ----------
    values : ndarray of shape (planes,)
        NaN if not stated.
    unit : str
        ``"mW"`` at the sample, or the file's own.
    origin : str
        Its source; empty if not stated.
    """

    values: Floats
    unit: str = MW
    origin: str = ""


def power_of_planes(
    stated: StatedPower | None, options: StackOptions, depth_um: Floats, *, where: str
) -> PlanePower:
    """Return the power at every plane: as given, else as stated, in mW if a scale is known.

    Parameters
    ----------
    stated : StatedPower or None
        Power in the file.
    options : StackOptions
        With the given power in mW, or the scale of the stated one.
    depth_um : ndarray of shape (planes,)
        Depth of every plane.
    where : str
        Place for errors.

    Raises
    ------
    InputError
        If a power or scale cannot be used, or a scale is given without a power to scale.
    """
    if options.power is not None:
        return PlanePower(resolve_power(options.power, depth_um, where=where), origin="given")
    scale = options.power_scale
    if scale is not None:
        _require_own_unit(stated, where)
    if stated is None:
        return PlanePower(np.full(depth_um.shape, np.nan))
    values = _stated_values(stated, len(depth_um), where)
    if scale is None:
        return PlanePower(values, stated.unit, stated.stated_by)
    how = f"{scale:g} mW at {_full(stated.unit)}" if isinstance(scale, float) else scale.name
    in_mw = scaled_mw(values, stated.unit, scale)
    return PlanePower(in_mw, origin=f"{stated.stated_by}, scaled by {how}")


def _require_own_unit(stated: StatedPower | None, where: str) -> None:
    if stated is not None and stated.unit != MW:
        return
    lacks = "states no power" if stated is None else "states its power in mW already"
    raise InputError(
        f"a power scale is given, and the file {lacks}",
        where=where,
        advice=f"set the power itself with {option('power')}, or leave out {option('power_scale')}",
    )


def _stated_values(stated: StatedPower, n_planes: int, where: str) -> Floats:
    """Return the values of a file for every plane; NaN if not stated."""
    values = np.array(stated.values, np.float64)
    if len(values) not in (1, n_planes):
        raise InputError(
            f"there are {len(values)} powers for {n_planes} planes ({stated.stated_by})",
            where=where,
            advice=f"set the power with {option('power')}",
        )
    bad = values[np.isinf(values) | ((values < 0) & (stated.unit == MW))]
    if bad.size:
        raise InputError(
            f"a power of {bad[0]:g} {stated.unit} is stated ({stated.stated_by})",
            where=where,
            advice=f"set the power with {option('power')}",
        )
    return np.broadcast_to(values, (n_planes,)).copy()


def power_by_plane(stated: StatedPower | None, given: Any) -> tuple[float, ...]:
    """Return the power in any unit if known plane by plane; otherwise empty."""
    if isinstance(given, tuple):
        return given
    return stated.values if stated is not None else ()


def scaled_mw(power: Floats, unit: str, scale: float | Path) -> Floats:
    """Convert a power in a file's own unit to mW.

    Parameters
    ----------
    power : ndarray of shape (planes,)
        In `unit`.
    scale : float or Path
        mW at 100 % for a power in per cent, mW per unit for others; or a table over the setting.
    """
    if isinstance(scale, Path):
        return interpolate(power, scale, "setting")
    return power * scale / (100.0 if unit == PER_CENT else 1.0)


def scale_beside(source: str) -> Path | None:
    """Return the table beside a stack, or in its folder, that scales its power."""
    path = Path(source)
    places = (path / SCALE_FILE, path.parent / SCALE_FILE)
    return next((place for place in places if place.is_file()), None)


def _full(unit: str) -> str:
    return "100 %" if unit == PER_CENT else f"1 {unit}"


def resolve_power(power: Any, depth_um: Floats, *, where: str = "power") -> Floats:
    """Return the power at every plane, from a value accepted by `given_power`.

    Parameters
    ----------
    power : float, str, Path, GainedPower, array_like or None
        None for not stated.
    depth_um : ndarray of shape (planes,)
        Depth of every plane.
    where : str
        Place for errors.

    Returns
    -------
    ndarray of shape (planes,)
        NaN if not stated.
    """
    try:
        given = given_power(power)
    except RefusedValueError as error:
        raise InputError(error.what, where=where, advice=error.advice) from None
    if given is None:
        return np.full(depth_um.shape, np.nan)
    if isinstance(given, GainedPower):
        return given.at(depth_um)
    if isinstance(given, Path):
        return interpolate(depth_um, given, "depth_um")
    if isinstance(given, float):
        return np.full(depth_um.shape, given)
    if len(given) != len(depth_um):
        raise InputError(
            f"there are {len(given)} powers for {len(depth_um)} planes",
            where=where,
            advice="pass one power for each plane",
        )
    return np.array(given, np.float64)
