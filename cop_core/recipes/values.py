"""Values with a text form of their own, parsed in one place for all interfaces."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from cop_core.recipes.base import RefusedValueError, shown

AS_FILE: Final = "metadata"
"""Option of a stack: the value in its file."""
MEAN: Final = "mean"
"""Option for time points: all of them, averaged."""
MOST: Final = 10**6
"""Upper limit on counts and indices."""


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise RefusedValueError(f"a number was expected, not {value}")
    return value


def _path_text(value: Any) -> str:
    """Return a path as text; bytes that are not UTF-8 stay escaped as by the system."""
    if not isinstance(value, str | os.PathLike):
        raise RefusedValueError(f"a path was expected, not {shown(value)}")
    text = os.fsdecode(value)
    if "\0" in text:
        raise RefusedValueError("a path was expected, not text with a null character")
    return text


_ADDRESS: Final = re.compile(r"(https?|s3)://", re.IGNORECASE)


def is_address(path: object) -> bool:
    """Return whether a path is an address: https, http or s3."""
    return isinstance(path, str) and bool(_ADDRESS.match(path))


def below(folder: Path, path: str) -> str:
    """Return a path relative to a folder joined to it; an address unchanged."""
    return path if is_address(path) else str(folder / path)


PathText = Annotated[
    str,
    PlainValidator(_path_text, json_schema_input_type=str),
    PlainSerializer(lambda text: text, return_type=Any),
]
"""Path of a file or folder, or address of a store."""


def _window(value: Any) -> Any:
    if isinstance(value, str):
        low, colon, high = value.partition(":")
        if not colon:
            raise RefusedValueError(
                f"{shown(value)} is not a depth window", advice="use LOW:HIGH in µm"
            )
        value = low.strip() or None, high.strip() or None
    try:
        limits = tuple(None if x is None else float(x) for x in value)
    except (OverflowError, TypeError, ValueError):
        limits = (math.nan,)
    known = [x for x in limits if x is not None]
    if len(limits) != 2 or not all(map(math.isfinite, known)):
        raise RefusedValueError(
            f"{shown(value)} is not a depth window", advice="use LOW:HIGH in µm"
        )
    if not known or (len(known) == 2 and not known[0] < known[1]):
        raise RefusedValueError(
            f"{limits[0]} to {limits[1]} is not a depth window",
            advice="put the shallower limit first, in µm, and leave at most one side open",
        )
    return limits


Window = tuple[float | None, float | None]
"""Shallowest and deepest depth in µm, both included; None for an open end."""
DepthWindow = Annotated[Window, BeforeValidator(lambda v: None if v is None else _window(v))]
"""A window, validated; ``LOW:HIGH`` is read too."""


def window_text(window_um: Window) -> str:
    """Return a window in words, ``"from 800 to 1300 µm"``."""
    low, high = window_um
    if low is None or high is None:
        return f"above {high:g} µm" if low is None else f"from {low:g} µm"
    return f"from {low:g} to {high:g} µm"


def _channel(value: Any) -> Any:
    """Read a number as a number; leave names."""
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdigit()):
            return text or None
        value = int(text) if len(text) <= len(str(MOST)) else -1
    if isinstance(value, int) and not 0 <= _no_truth(value) <= MOST:
        raise RefusedValueError(
            "there can be no such channel", advice=f"use a number from 0 to {MOST}"
        )
    return value


Channel = Annotated[int | str | None, BeforeValidator(_channel)]
"""Number from 0, or name."""


def number(accepted: str) -> WrapValidator:
    """State which numbers are accepted, for any error in one."""

    def check(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        try:
            return read(_no_truth(value))
        except ValidationError:
            raise RefusedValueError(
                f"{shown(value)} cannot be used", advice=f"use {accepted}"
            ) from None

    return WrapValidator(check)


def whole(low: int, high: int = MOST, word: str = "") -> WrapValidator:
    """State the range, and a word permitted instead, for any error in a whole number."""
    return number(f"a whole number from {low} to {high}" + (f", or {word}" * bool(word)))


# limits stand next to the type: after a validator they would not be in the JSON Schema
Finite = Annotated[float, number("a number")]
Positive = Annotated[float, Field(gt=0), number("a number above 0")]
NotNegative = Annotated[float, Field(ge=0), number("a number of 0 or more")]
Share = Annotated[float, Field(ge=0, le=1), number("a number from 0 to 1")]
Count = Annotated[int, Field(ge=1, le=MOST), whole(1)]
Index = Annotated[int, Field(ge=0, le=MOST), whole(0)]
TimePoint = Annotated[Annotated[int, Field(ge=0, le=MOST)] | Literal["mean"], whole(0, word=MEAN)]
"""Number from 0, or all time points averaged."""
Seed = Annotated[int, Field(ge=0, lt=2**63), whole(0, 2**63 - 1)]


_NOT_IN_FOLDER_NAMES: Final = re.compile(r"[^\w.+-]+")
_LONGEST_NAME: Final = 100
_DEVICES: Final = {"CON", "PRN", "AUX", "NUL"} | {
    f"{d}{n}" for d in ("COM", "LPT") for n in range(10)
}
"""Names of devices in any folder of Windows, with any suffix."""


def folder_name(text: str) -> str:
    """Return text as the name of a folder: without separators, not hidden, no formula or device."""
    name = _NOT_IN_FOLDER_NAMES.sub("_", text).strip("._+-")[:_LONGEST_NAME].rstrip(".") or "stack"
    return f"_{name}" if name.partition(".")[0].upper() in _DEVICES else name
