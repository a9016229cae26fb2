"""Power tables: CSV files with power in mW over depth, or over a device's setting."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.csv_table import number_in, read_csv_table
from cop_core.errors import InputError
from cop_core.recipes.power import Over

_POWER: Final = "power_mw"
_ADVICE: Final[dict[Over, str]] = {
    "depth_um": "power is a number in mW, a CSV file with depth_um,power_mw, or gained:P0,l,Pmax",
    "setting": "a power scale is a number, or a CSV file with setting,power_mw",
}
_UNIT: Final[dict[Over, str]] = {"depth_um": " µm", "setting": ""}


def read_power_table(
    path: str | Path, over: Over = "depth_um"
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Read a CSV with the header ``depth_um,power_mw`` or ``setting,power_mw``.

    Parameters
    ----------
    path : str or Path
        Rows in any order; other columns are ignored. See `read_csv_table`.
    over : {"depth_um", "setting"}
        The other column.

    Returns
    -------
    where, power_mw : ndarray of shape (rows,)
        Sorted by depth or setting.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, a value is not a number, negative or not
        finite, or a depth or setting occurs twice.
    """
    rows, problems = read_csv_table(
        Path(path),
        "power table",
        required=(over, _POWER),
        numbers=(over, _POWER),
        advice=_ADVICE[over],
    )
    if problems:
        line, said = problems[0]
        raise InputError(f"line {line}: {said}", where=str(path))
    if not rows:
        raise InputError("the table has no rows", where=str(path))
    table = np.array(sorted(_numbers(line, cells, path, over) for line, cells in rows))
    where, power_mw = table[:, 0], table[:, 1]
    repeated = where[1:][np.diff(where) == 0]
    if repeated.size:
        raise InputError(
            f"{_named(over)} {repeated[0]:g}{_UNIT[over]} occurs more than once",
            where=str(path),
            advice="keep one power for each",
        )
    return where, power_mw


def interpolate(wanted: npt.ArrayLike, path: str | Path, over: Over) -> npt.NDArray[np.float64]:
    """Return power in mW at depths or settings, linear between the rows of a table.

    Raises
    ------
    InputError
        For a bad table (see read_power_table) or a depth or setting outside its range.
    """
    known, known_mw = read_power_table(path, over)
    asked = np.asarray(wanted, np.float64)
    low, high = known[0], known[-1]
    slack = 1e-9 * max(1.0, high)
    outside = asked[(asked < low - slack) | (asked > high + slack)]
    if outside.size:
        unit = _UNIT[over]
        raise InputError(
            f"the table covers {low:g} to {high:g}{unit}, the stack needs {outside[0]:g}{unit}",
            where=str(path),
            advice=f"extend the table to cover {np.nanmin(asked):g} to {np.nanmax(asked):g}{unit}",
        )
    return np.asarray(np.interp(asked, known, known_mw), dtype=np.float64)


def _named(over: Over) -> str:
    return over.removesuffix("_um")


def _numbers(line: int, cells: dict[str, str], path: str | Path, over: Over) -> tuple[float, float]:
    try:
        where, power_mw = (number_in(cells[column]) for column in (over, _POWER))
    except ValueError:
        problem = f"line {line} lacks a {_named(over)} and a power"
        raise InputError(problem, where=str(path), advice="write two numbers") from None
    if not (math.isfinite(where) and math.isfinite(power_mw)) or min(where, power_mw) < 0:
        raise InputError(
            f"line {line} has a value that is negative or not finite",
            where=str(path),
            advice=f"write {over} and power_mw as numbers of 0 or more",
        )
    return where, power_mw
