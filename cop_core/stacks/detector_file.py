"""Reading of a measured detector from the file written by `cop detector`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError, option
from cop_core.recipes import RecipeError
from cop_core.recipes.base import checked
from cop_core.records import MeasuredDetector

if TYPE_CHECKING:
    from cop_core.recipes import ReadingOptions, StackOptions

DETECTOR_FILE: Final = "detector.json"
_MOST_BYTES: Final = 2**24
_ADVICE: Final = "use the file that cop detector wrote with -o"
_SLACK_COUNTS: Final = 0.5
"""Tolerance for zero levels that users round to whole counts."""


def read_detector(path: str | Path) -> MeasuredDetector:
    """Read a measured detector.

    Parameters
    ----------
    path : path
        The file, or the folder that contains it as `DETECTOR_FILE`.

    Raises
    ------
    InputError
        It cannot be read, or does not describe a detector; the message names the place in it.
    """
    file = Path(path)
    try:
        file = file / DETECTOR_FILE if file.is_dir() else file
        if file.exists() and not file.is_file():
            raise InputError("not a regular file", where=str(file), advice=_ADVICE)
        if file.stat().st_size > _MOST_BYTES:
            raise InputError("too large for a detector", where=str(file), advice=_ADVICE)
        tree: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"no detector can be read ({problem})", where=str(file), advice=_ADVICE
        ) from error
    stated = tree.get("detector") if isinstance(tree, dict) else None
    if stated is None or tree.get("kind") != "detector":
        raise InputError("it does not describe a detector", where=str(file), advice=_ADVICE)
    try:
        found: MeasuredDetector = checked(MeasuredDetector, stated, ("detector",))
    except RecipeError as error:
        raise InputError(
            f"it was changed: {error.what}", where=f"{file}, {error.where}", advice=_ADVICE
        ) from None
    return found


def detector_of(stack: StackOptions, reading: ReadingOptions) -> MeasuredDetector | None:
    """Return the detector of a stack, if given.

    Raises
    ------
    InputError
        Its file cannot be used, or contradicts a given zero level.
    """
    if stack.detector is None:
        return None
    found, given = read_detector(stack.detector), reading.offset_counts
    zero = found.zero_counts
    if given is not None and not zero.within(given) and abs(given - zero.value) > _SLACK_COUNTS:
        raise InputError(
            f"the zero level is given as {given:g} counts and as {zero.value:.4g} "
            f"({zero.ci95[0]:.4g} to {zero.ci95[1]:.4g})",
            where=str(stack.detector),
            advice=f"leave out one of {option('offset_counts')} and {option('detector')}",
        )
    return found
