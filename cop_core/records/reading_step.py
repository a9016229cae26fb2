"""Records of a step of a reading, and of the state of the acquisition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cop_core.records.plane import PlaneEstimate


class State(Enum):
    """State of an acquisition, as far as its source can tell."""

    WAITING = "waiting for the first plane"
    GROWING = "growing"
    COMPLETE = "complete"
    """All planned planes have arrived, or the acquisition reported its end."""
    STOPPED = "stopped growing"
    """No plane has arrived for longer than the source waits, although some are missing."""


@dataclass(frozen=True)
class ReadingStep:
    """One step of a reading.

    Attributes
    ----------
    state : State
        State of the acquisition; a finished stack is complete.
    estimate : PlaneEstimate or None
        The plane of which this step read crops, with all its crops read so far.
    whole : bool
        Whether all its crops have been read.
    done, total : int
        Work on a finished stack: each plane counts once when surveyed and once when read. 0 for a
        growing stack.
    to_read : int or None
        Planes of a finished stack that the network still has to read, without those known to have
        no signal; None if not known.
    latency_s : float
        Time from when the plane was complete on disk or in the camera to this step; NaN without
        a plane, and for a finished stack.
    planes_waiting : int
        Planes that are complete but not begun.
    crops_put_off : int
        Crops of planes begun that are still to be read.
    idle : bool
        True if there was nothing to do: wait a little before the next step.
    ended : bool
        True if the acquisition has ended or stopped and all of it is read: the profile is that of
        the finished stack. If more planes arrive, the reading goes on.
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
