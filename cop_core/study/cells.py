"""The cells of one row of a plan, each read with what to do where it is wrong."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks import AS_FILE, GainedPower, read_power_table

if TYPE_CHECKING:
    from collections.abc import Callable

ARMS: Final = ("fixed", "gained")
COLUMNS: Final = (
    *("stack", "arm", "animal", "channel", "power", "z_step_um"),
    *("axes", "time", "name", "note"),
)
"""Columns of a plan; `note` is for the reader alone."""

ALIASES: Final = {"z_step": "z_step_um"}
_SUFFIXES: Final = re.compile(r"(\.ome)?\.(zarr|tiff?|btf)$", re.IGNORECASE)
_NOT_IN_NAMES: Final = re.compile(r"[^\w.+-]+")
_LONGEST: Final = 100


def folder_name(text: str) -> str:
    """Return text as the name of a folder: no separators, nothing hidden, no formula."""
    return _NOT_IN_NAMES.sub("_", text).strip("._+-")[:_LONGEST] or "stack"


def stack_name(path: str | Path) -> str:
    """Return the name of a file or folder without what marks it as a stack."""
    return _SUFFIXES.sub("", Path(path).name)


class RowCells:
    """The cells of a row; what cannot be used is noted in ``problems``.

    Parameters
    ----------
    cells : dict
        Text by column, stripped.
    folder : Path
        What paths are relative to.
    """

    def __init__(self, cells: dict[str, str], folder: Path) -> None:
        self._cells = cells
        self._folder = folder
        self.problems: list[str] = []

    def __getitem__(self, column: str) -> str:
        return self._cells.get(column, "")

    def stack(self) -> Path:
        """Return the path of the stack."""
        path = self._folder / self["stack"]
        if not self["stack"]:
            self.problems.append("no stack; give its path")
        elif not path.exists():
            self.problems.append(
                f"no such file or folder {self['stack']!r}; paths are relative to {self._folder}"
            )
        return path

    def arm(self) -> str:
        """Return the arm."""
        arm = self["arm"].lower()
        if arm not in ARMS:
            what = f"unknown arm {self['arm']!r}" if arm else "no arm"
            self.problems.append(f"{what}; write {' or '.join(ARMS)}")
        return arm

    def name(self) -> str:
        """Return the name given, else that of the file with channel and time where stated."""
        given = self["name"]
        if given and given != folder_name(given):
            self.problems.append(
                f"{given!r} is no name for a folder; write {folder_name(given)!r} for example"
            )
        choice = [f"{mark}{self[c]}" for c, mark in (("channel", "c"), ("time", "t")) if self[c]]
        return given or folder_name("-".join([stack_name(self["stack"]), *choice]))

    def opening(self) -> dict[str, Any]:
        """Return the arguments of `open_stack` that are stated."""
        readers: dict[str, Callable[[], Any]] = {
            "z_step_um": self._z_step,
            "power": self._power,
            "channel": self._channel,
            "time": self._time,
            "axes": self["axes"].upper,
        }
        stated = {column: read for column, read in readers.items() if self[column]}
        return {c: None if self[c] == AS_FILE else read() for c, read in stated.items()}

    def _z_step(self) -> float:
        value = self._number("z_step_um")
        if not 0 < value < math.inf:
            self.problems.append(f"a z step of {self['z_step_um']!r}; write um as a number above 0")
        return value

    def _channel(self) -> int | str:
        text = self["channel"]
        return int(text) if text.isdecimal() else text

    def _time(self) -> int:
        if not self["time"].isdecimal():
            self.problems.append(f"a time of {self['time']!r}; write a whole number from 0")
            return 0
        return int(self["time"])

    def _power(self) -> float | str | Path:
        text, value = self["power"], self._number("power")
        if not math.isnan(value):
            if not 0 <= value < math.inf:
                self.problems.append(f"a power of {text!r}; write mW as a number from 0")
            return value
        try:
            if text.startswith("gained:"):
                GainedPower.parse(text)
                return text
            read_power_table(self._folder / text)
        except InputError as error:
            self.problems.append(f"the power {text!r} cannot be used: {error}".rstrip("."))
        return self._folder / text

    def _number(self, column: str) -> float:
        """Return a cell as a number, NaN where it is none."""
        text = self[column]
        try:
            return math.nan if "_" in text else float(text)
        except ValueError:
            return math.nan
