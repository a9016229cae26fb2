"""What one step of a live reading did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cop_core.stacks.growing.source import State
    from cop_core.statistics.profile import PlaneEstimate


@dataclass(frozen=True)
class LiveStep:
    """One step of a live reading.

    Attributes
    ----------
    state : State
        Where the acquisition stands.
    estimate : PlaneEstimate or None
        A plane of which this step read crops, with all that were read so far.
    whole : bool
        Whether those are all its crops.
    latency_s : float
        Time in s from when the plane was complete on disk or in the camera to this step; NaN
        without a plane.
    planes_waiting : int
        Planes that are complete and not begun.
    crops_put_off : int
        Crops of planes begun that are still to be read.
    idle : bool
        True where there was nothing to do: wait a little before the next step.
    ended : bool
        True where the acquisition has ended or stopped and all of it is read: the profile is
        that of the finished stack. If planes still come, the reading goes on.
    """

    state: State
    estimate: PlaneEstimate | None = None
    whole: bool = False
    latency_s: float = math.nan
    planes_waiting: int = 0
    crops_put_off: int = 0
    idle: bool = False
    ended: bool = False
