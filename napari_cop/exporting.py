"""Export of reports and detectors, with the command that repeats them.

It runs in a process beside napari's; nothing here imports Qt.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cop_core.errors import InputError
from cop_core.recipes.argv import command_of
from cop_core.report import recipe_of, why_not_repeatable, write_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from cop_core.records import PhotonTransfer

    Write: TypeAlias = Callable[..., Path]


def export(record: Any, target: str | Path, write: Write = write_report) -> Path:
    """Write a record's report, with the command that repeats it, if any.

    Parameters
    ----------
    write : callable
        `write_report` into a folder, or `write_document` into a file.

    Raises
    ------
    CopError
        If the target cannot be written to.
    """
    command: str | None = None
    with suppress(InputError):  # pixels that are not in a file cannot be read again
        command = repeating(record, target)
    return write(record, target, command=command)


def repeating(record: Any, target: str | Path) -> str:
    """Return the command line that gives the same numbers.

    Raises
    ------
    InputError
        If there is none; the message states why.
    """
    why = why_not_repeatable(record)
    if why:
        raise InputError(f"there is no command that repeats this: {why}")
    return command_of(recipe_of(record), target)


def add_measurement(record: PhotonTransfer, target: str, **_: object) -> Path:
    """Add a measurement to a history, and return its path."""
    from cop_core.report.detector_history import add_to_history, require_history

    path = Path(target)
    require_history(path)
    add_to_history(record, path)
    return path
