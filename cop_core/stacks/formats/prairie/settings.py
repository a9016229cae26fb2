"""Numbers from the settings of Prairie View: scale, focus and power of frames."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.dataset import Scale, StatedPower
from cop_core.stacks.units import number, step_um

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from cop_core.stacks.formats.prairie.header import PrairieFrame, Settings

_POWER: Final = re.compile(r"laserPower_(\d+)")
_FOCUS: Final = re.compile(r"positionCurrent_ZAxis(?:_(\d+))?")
_UNIT: Final = "set-point"
"""Unit of the laser: Prairie View states the setting, not the power at the sample."""


def scale_of(frames: Sequence[PrairieFrame], n_planes: int) -> Scale:
    """Return the scale of a stack: from the focus of its planes, else the requested step."""
    settings, positions = frames[0].settings, z_positions_um(frames)
    pixel = _pixel_size_um(settings)
    if positions is not None and len(positions) == n_planes:
        return Scale(None, positions, pixel)
    return Scale(step_um(_value(settings, "micronsPerPixel_ZAxis"), "um"), None, pixel)


def plane_shape(settings: Settings, where: str) -> tuple[int, int]:
    """Return height and width of a frame to come."""
    found = [number(_value(settings, key)) for key in ("linesPerFrame", "pixelsPerLine")]
    height, width = (int(n) if n and n >= 1 else 0 for n in found)
    if not height or not width:
        raise InputError("its XML does not state the size of a frame", where=where)
    return height, width


def _pixel_size_um(settings: Settings) -> tuple[float, float] | None:
    y, x = (step_um(_value(settings, f"micronsPerPixel_{axis}Axis"), "um") for axis in "YX")
    return (y, x) if y and x else None


def z_positions_um(frames: Sequence[PrairieFrame]) -> tuple[float, ...] | None:
    """Return the focus of every frame; None if it is not strictly monotonic.

    If several devices move the focus, the one that the set names for z counts if it moved, else
    their sum.
    """
    devices = _by_index(frames, _FOCUS)
    if not devices or len(frames) < 2:
        return None
    named = devices.get(_value(frames[0].settings, "zDevice") or "", np.zeros(1))
    found = named if np.ptp(named) > 0 else np.sum(list(devices.values()), axis=0)
    steps = np.diff(found)
    return tuple(found.tolist()) if (steps > 0).all() or (steps < 0).all() else None


def frames_alike(
    first: Sequence[PrairieFrame], other: Sequence[PrairieFrame]
) -> tuple[PrairieFrame, ...]:
    """Return the frames of a stack in the direction of another: every second may be reversed."""
    ends = [z_positions_um(frames) for frames in (first, other)]
    rises = [z[-1] > z[0] for z in ends if z is not None]
    return tuple(other[::-1] if len({*rises}) > 1 else other)


def laser_power(
    sequences: Sequence[Sequence[PrairieFrame]], names: Mapping[str, str]
) -> tuple[StatedPower | None, tuple[str, ...]]:
    """Return the power of every frame of a sequence, and remarks.

    It is that of the one laser that was on or, of several, of the one whose power was changed. If
    this is ambiguous, or sequences differ, no power is used.
    """
    frames = sequences[0]
    found = [_by_index(each, _POWER) for each in sequences]
    if any(not _equal(found[0], other) for other in found[1:]):
        return None, ("its stacks differ in power, which is not taken from the file",)
    lasers = {i: power for i, power in found[0].items() if (power > 0).any()}
    changed = {i: power for i, power in lasers.items() if np.nanmax(power) > np.nanmin(power)}
    chosen = lasers if len(lasers) == 1 else changed
    if len(chosen) != 1:
        several = ", ".join(_name(frames, names, index) for index in lasers)
        said = f"several lasers were on ({several}), so their power is not taken from the file"
        return None, (said,) if lasers else ()
    ((index, power),) = chosen.items()
    stated = StatedPower(
        tuple(power.tolist()), _UNIT, f"laserPower of {_name(frames, names, index)}"
    )
    others = [_name(frames, names, i) for i in lasers if i != index]
    said = f"{' and '.join(others)} stayed at one power, which is not in the one stated"
    return stated, (said,) if others else ()


def _by_index(
    frames: Sequence[PrairieFrame], pattern: re.Pattern[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return settings of every frame by the index in their names; NaN if a frame lacks one."""
    keys = {key: match[1] or "0" for key in frames[0].settings if (match := pattern.fullmatch(key))}
    return {
        index: np.array([_number_or_nan(frame.settings, key) for frame in frames])
        for key, index in sorted(keys.items())
    }


def _equal(
    first: Mapping[str, npt.NDArray[np.float64]], other: Mapping[str, npt.NDArray[np.float64]]
) -> bool:
    return first.keys() == other.keys() and all(
        np.array_equal(first[key], other[key], equal_nan=True) for key in first
    )


def _number_or_nan(settings: Settings, key: str) -> float:
    found = number(_value(settings, key))
    return np.nan if found is None else found


def _value(settings: Settings, key: str) -> str | None:
    return settings[key].value if key in settings else None


def _name(frames: Sequence[PrairieFrame], names: Mapping[str, str], index: str) -> str:
    described = frames[0].settings[f"laserPower_{index}"].description
    return described or names.get(index) or f"laser {index}"
