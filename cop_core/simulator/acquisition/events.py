"""A power protocol as the events of an acquisition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from useq import MDAEvent

from cop_core.errors import InputError
from cop_core.simulator.acquisition.core import LASER_POWER

if TYPE_CHECKING:
    from collections.abc import Sequence


def plane_event(index: int, depth_um: float, power_mw: float) -> MDAEvent:
    """Return the event of one plane: go to a depth in um, set the laser to a power in mW."""
    return MDAEvent.model_validate(
        {
            "index": {"z": index},
            "z_pos": depth_um,
            "properties": [(*LASER_POWER, power_mw)],
        }
    )


def stack_events(depths_um: Sequence[float], power_mw: Sequence[float]) -> list[MDAEvent]:
    """Return the events of a stack, for `run_mda`.

    Parameters
    ----------
    depths_um, power_mw : sequence of float, shape (planes,)
        Depth in um and power in mW of every plane. The laser is asked for these powers; what it
        refuses it does not shine.

    Raises
    ------
    InputError
        If there are not as many powers as depths.
    """
    if len(depths_um) != len(power_mw):
        raise InputError(
            f"{len(power_mw)} powers do not match {len(depths_um)} depths",
            advice="Give one power a plane",
        )
    each = zip(depths_um, power_mw, strict=True)
    return [plane_event(k, float(depth), float(power)) for k, (depth, power) in enumerate(each)]
