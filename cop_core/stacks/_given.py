"""How a stack was opened, in JSON types, so that a report can say it and a command repeat it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.stacks.power import GainedPower

if TYPE_CHECKING:
    from cop_core.stacks.axes import Selection

AS_FILE: Final = "metadata"
"""Where a command line has an option for each stack: what this stack's file states."""
POWER_ARRAY: Final = "array"
"""Stands for one power a plane, which no option of a command line holds."""


def given_options(
    selection: Selection,
    z_step_um: float | None,
    power: Any,
    channel: int | str | None,
    time: int | str | None,
    axes: str | None,
    level: int,
    *,
    allow_partial: bool,
) -> dict[str, Any]:
    """Return the options of `open_stack` that are not the default, as JSON types.

    Parameters
    ----------
    selection : Selection
        What was chosen by channel and time.
    z_step_um, power, channel, time, axes, level, allow_partial
        As given to `open_stack`, already found good.
    """
    options = {
        "z_step_um": z_step_um,
        "power": None if power is None else _power(power),
        "channel": None if channel is None else _channel(channel, selection),
        "time": None if time is None else selection.fixed.get("T", 0),
        "axes": axes,
        "level": int(level) or None,
        "allow_partial": allow_partial or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _power(power: Any) -> float | str:
    if isinstance(power, str | Path | GainedPower):
        return str(power)
    return float(power) if np.ndim(power) == 0 else POWER_ARRAY


def _channel(channel: int | str, selection: Selection) -> int | str:
    """Return a name as it is, unless a command line would read it as something else."""
    if isinstance(channel, str) and not channel.isdigit() and channel != AS_FILE:
        return channel
    return selection.fixed.get("C", 0)
