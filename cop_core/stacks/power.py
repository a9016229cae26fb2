"""Excitation power at every depth, in whatever form it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.recipes import GainedPower, RefusedValueError, given_power
from cop_core.stacks.power_table import read_power_table

Floats = npt.NDArray[np.float64]


def interpolate(depth_um: npt.ArrayLike, path: str | Path) -> Floats:
    """Power in mW at every depth in um, linear between the rows of a table.

    Raises
    ------
    InputError
        For a bad table (see read_power_table) or a depth outside its range.
    """
    known_um, known_mw = read_power_table(path)
    wanted = np.asarray(depth_um, np.float64)
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
    """Return the power in mW at every plane, from whatever `given_power` takes.

    Parameters
    ----------
    power : float, str, Path, GainedPower, array_like or None
        None for not stated.
    depth_um : ndarray of shape (planes,)
        Depth of every plane.
    where : str
        What an error points at.

    Returns
    -------
    ndarray of shape (planes,)
        NaN where not stated.
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
        return interpolate(depth_um, given)
    if isinstance(given, float):
        return np.full(depth_um.shape, given)
    if len(given) != len(depth_um):
        raise InputError(
            f"there are {len(given)} powers for {len(depth_um)} planes",
            where=where,
            advice="pass one power in mW for each plane",
        )
    return np.array(given, np.float64)
