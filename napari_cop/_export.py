"""Results out of the viewer: a report folder, the command that repeats it, a noise map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError
from cop_core.report import repeat_command, write_report

if TYPE_CHECKING:
    from cop_core.report import Result


def export(result: Result, folder: str | Path) -> Path:
    """Write report.json, planes.csv and the figures, with the command that repeats them, if any.

    Raises
    ------
    CopError
        Where the folder cannot be written to.
    """
    try:
        command: Any = repeat_command(result, folder)
    except InputError:  # pixels that are in no file cannot be read again
        command = None
    return write_report(result, folder, command=command)
