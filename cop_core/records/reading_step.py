"""A step of a reading, and where the acquisition stands that is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cop_core.records.plane import PlaneEstimate


class State(Enum):
    """Where an acquisition stands, as far as its source can tell."""

    WAITING = "waiting for the first plane"
    GROWING = "growing"
    COMPLETE = "complete"
    """All planned planes are there, or the acquisition said that it has ended."""
    STOPPED = "stopped growing"
    """No plane came for longer than the source waits, and it is not complete."""


@dataclass(frozen=True)
class ReadingStep:
    """One step of a reading.

    Attributes
    ----------
    state : State
        Where the acquisition stands; a finished stack is complete.
    estimate : PlaneEstimate or None
        A plane of which this step read crops, with all that were read so far.
    whole : bool
        Whether those are all its crops.
    done, total : int
        Steps of a finished stack: a plane is surveyed in one and read in another. 0 for a stack
        that grows.
    to_read : int or None
        Planes of a finished stack that are still to be read by the network, those without signal
        left out; None where that is not known.
    latency_s : float
        Time from when the plane was complete on disk or in the camera to this step; NaN without
        a plane, and for a finished stack.
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
    done: int = 0
    total: int = 0
    to_read: int | None = None
    latency_s: float = math.nan
    planes_waiting: int = 0
    crops_put_off: int = 0
    idle: bool = False
    ended: bool = False
