"""Power tables: CSV files with the columns depth_um and power_mw."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError

_MAX_TABLE_BYTES: Final = 16 * 2**20


def read_power_table(path: str | Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Read a CSV with the header ``depth_um,power_mw``.

    Parameters
    ----------
    path : str or Path
        The table; rows in any order, other columns ignored.

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
    rows = _rows(Path(path))
    table = np.array(sorted(rows), dtype=np.float64).reshape(-1, 2)
    depth_um, power_mw = table[:, 0], table[:, 1]
    repeated = depth_um[1:][np.diff(depth_um) == 0]
    if repeated.size:
        raise InputError(
            f"depth {repeated[0]:g} um occurs more than once",
            where=str(path),
            advice="keep one power for each depth",
        )
    return depth_um, power_mw


def _rows(path: Path) -> list[tuple[float, float]]:
    try:
        if path.stat().st_size > _MAX_TABLE_BYTES:
            raise InputError("too large for a power table", where=str(path))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            f"the power table cannot be read ({type(error).__name__})",
            where=str(path),
            advice="power is a number in mW, a CSV file with depth_um,power_mw,"
            " or gained:P0,l,Pmax",
        ) from None
    try:
        return _parse_rows(text, path)
    except csv.Error as error:
        raise InputError(f"not a CSV table ({error})", where=str(path)) from None


def _parse_rows(text: str, path: Path) -> list[tuple[float, float]]:
    reader = csv.reader(text.splitlines(), strict=True)
    header = [cell.strip() for cell in next(reader, [])]
    if not {"depth_um", "power_mw"} <= set(header):
        raise InputError(
            "the header lacks depth_um or power_mw",
            where=str(path),
            advice="write depth_um,power_mw in the first line",
        )
    columns = header.index("depth_um"), header.index("power_mw")
    filled = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    rows = [_row(row, columns, line, path) for line, row in filled]
    if not rows:
        raise InputError("the table has no rows", where=str(path))
    return rows


def _row(row: list[str], columns: tuple[int, int], line: int, path: Path) -> tuple[float, float]:
    try:
        depth_um, power_mw = (_number(row[column]) for column in columns)
    except (ValueError, IndexError):
        problem = f"line {line} lacks a depth and a power"
        raise InputError(problem, where=str(path), advice="write two numbers") from None
    if not (math.isfinite(depth_um) and math.isfinite(power_mw)) or min(depth_um, power_mw) < 0:
        raise InputError(
            f"line {line} has a value that is negative or not finite",
            where=str(path),
            advice="give depth_um and power_mw as numbers of 0 or more",
        )
    return depth_um, power_mw


def _number(cell: str) -> float:
    text = cell.strip(" \t")
    if "_" in text or not (text.isascii() and text.isprintable()):
        raise ValueError(text)  # Python reads 5_0 as 50, where a damaged 5.0 was meant
    return float(text)
