"""What a growing stack is to the rest of the package: planes as they become complete."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.stacks.model import Plane, Stack


class State(Enum):
    """Where an acquisition stands, as far as its source can tell."""

    WAITING = "waiting for the first plane"
    GROWING = "growing"
    COMPLETE = "complete"
    """All planned planes are there, or the acquisition said that it has ended."""
    STOPPED = "stopped growing"
    """No plane came for longer than the source waits, and it is not complete."""


class Source(Protocol):
    """Planes of one acquisition, each exactly once, when it is complete.

    A plane that is not written yet is not a black plane: it is not handed out before its bytes
    are there. Nothing here blocks for longer than one plane takes to read.
    """

    @property
    def name(self) -> str:
        """What the stack is called in tables and figures."""

    @property
    def source(self) -> str:
        """Where it comes from: a path, a layer, a device."""

    @property
    def planned(self) -> int | None:
        """Planes that the acquisition will have in all; None where it does not say."""

    @property
    def state(self) -> State:
        """Where the acquisition stands, as of the last `news`."""

    @property
    def waiting(self) -> int:
        """Planes that are complete and still to be handed out, as of the last `news`."""

    def completed_at(self, index: int) -> float:
        """Return when a plane that was handed out became complete, in s as `time.time` counts.

        As far as the source can tell: when it saw the plane, or its file was last written.
        """

    def news(self, limit: int | None = None) -> Sequence[Plane]:
        """Return planes that became complete and were not handed out before, in order.

        Parameters
        ----------
        limit : int, optional
            At most so many; the others come with the next call.

        Raises
        ------
        InputError
            Where the source can no longer be read at all; a plane that is broken comes with a
            reason in its validity instead.
        """

    def stack(self) -> Stack:
        """Return the acquisition as it is now, as `open_stack` would give it.

        What is read from it is what an offline reading of the finished acquisition reads; a
        plane that is not there carries its reason. Each call looks anew.
        """

    def close(self) -> None:
        """Let go of files, devices and threads; calling it again does nothing."""
