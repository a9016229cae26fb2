"""Power tables: CSV files with the columns depth_um and power_mw."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.csv_table import number_in, read_csv_table
from cop_core.errors import InputError

_COLUMNS: Final = ("depth_um", "power_mw")


def read_power_table(path: str | Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Read a CSV with the header ``depth_um,power_mw``.

    Parameters
    ----------
    path : str or Path
        Rows in any order; other columns are ignored. See `read_csv_table`.

    Returns
    -------
    depth_um, power_mw : ndarray of shape (rows,)
        Sorted by depth.

    Raises
    ------
    InputError
        Where the file cannot be read, a column is missing, or a value is not a number,
        negative, not finite, or a depth occurs twice.
    """
    rows, problems = read_csv_table(
        Path(path),
        "power table",
        required=_COLUMNS,
        numbers=_COLUMNS,
        advice="power is a number in mW, a CSV file with depth_um,power_mw, or gained:P0,l,Pmax",
    )
    if problems:
        line, said = problems[0]
        raise InputError(f"line {line}: {said}", where=str(path))
    if not rows:
        raise InputError("the table has no rows", where=str(path))
    table = np.array(sorted(_numbers(line, cells, path) for line, cells in rows))
    depth_um, power_mw = table[:, 0], table[:, 1]
    repeated = depth_um[1:][np.diff(depth_um) == 0]
    if repeated.size:
        raise InputError(
            f"depth {repeated[0]:g} um occurs more than once",
            where=str(path),
            advice="keep one power for each depth",
        )
    return depth_um, power_mw


def _numbers(line: int, cells: dict[str, str], path: str | Path) -> tuple[float, float]:
    try:
        depth_um, power_mw = (number_in(cells[column]) for column in _COLUMNS)
    except ValueError:
        problem = f"line {line} lacks a depth and a power"
        raise InputError(problem, where=str(path), advice="write two numbers") from None
    if not (math.isfinite(depth_um) and math.isfinite(power_mw)) or min(depth_um, power_mw) < 0:
        raise InputError(
            f"line {line} has a value that is negative or not finite",
            where=str(path),
            advice="give depth_um and power_mw as numbers of 0 or more",
        )
    return depth_um, power_mw
