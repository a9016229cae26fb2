"""What a growing stack is: planes as they become complete, out of something that is looked at."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cop_core.stacks.validity import UNIFORM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.records import State
    from cop_core.stacks.dataset import Dataset, Stamp
    from cop_core.stacks.model import LazyStack, Plane, Stack


class Source(Protocol):
    """Planes of one acquisition, each exactly once, when it is complete.

    A plane that is not written yet is not a black plane: it is not handed out before its bytes
    are there. Nothing here blocks for longer than one plane takes to read.
    """

    @property
    def name(self) -> str:
        """Name of the stack in tables and figures."""

    @property
    def source(self) -> str:
        """Where it comes from: a path, a layer, a device."""

    @property
    def planned(self) -> int | None:
        """Total number of planes of the acquisition; None if it does not state it."""

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
            Largest number of planes; the others come with the next call.

        Raises
        ------
        InputError
            If the source can no longer be read at all; a broken plane comes with a
            reason in its validity instead.
        """

    def stack(self) -> Stack:
        """Return the acquisition as it is now, as `open_stack` would give it.

        What is read from it is what an offline reading of the finished acquisition reads; a
        plane that is not there carries its reason. Each call looks anew.
        """

    def close(self) -> None:
        """Let go of files, devices and threads; calling it again does nothing."""


@dataclass(frozen=True)
class Snapshot:
    """A stack that is being written, as far as it is there at one moment."""

    stack: LazyStack
    data: Dataset

    @property
    def shared(self) -> bool:
        """Whether a plane's place may be there before the plane is."""
        return self.stack.selection.plane_axis in self.data.growth.shared_axes

    def stamp(self, index: int) -> Stamp | None:
        """Return the state of a plane's files: None without them, empty where it says nothing."""
        return self.data.growth.stamp(self.stack.selection.at(index))

    def checksum(self, index: int) -> int | None:
        """Return a checksum of a plane's pixels; None where nothing shows that it was written."""
        plane = self.stack.plane(index)
        blank = self.shared and plane.validity.reason in UNIFORM
        return None if blank or not plane.validity.readable else zlib.crc32(plane.data.data)


class Growing(Protocol):
    """What planes are looked for in: files that are written, an array that is filled."""

    @property
    def name(self) -> str:
        """Name of the stack in tables and figures."""

    @property
    def source(self) -> str:
        """Where it comes from: a path, a layer, a device."""

    @property
    def replaced(self) -> bool:
        """Whether it is known to be another than at the last look, so that one is due at once."""

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""

    def look(self, least_planes: int) -> Snapshot | None:
        """Return the stack as it is now; None where it is not there, or not whole at this moment.

        Parameters
        ----------
        least_planes : int
            Planes up to the last one that was handed out.

        Raises
        ------
        InputError
            Where it can no longer be read at all.
        """

    def sure_after_s(self, found: Snapshot, n_were_blank: int) -> float | None:
        """Return for how long all planes must be there until the stack is complete.

        None where its length says nothing of the planes to come. ``n_were_blank`` counts those
        whose place was seen before they were.
        """

    def stack(self) -> Stack:
        """Return the stack as it is now, as `open_stack` would give it."""

    def close(self) -> None:
        """Let go of what it holds."""
