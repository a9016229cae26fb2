"""Interfaces of growing stacks: a source of planes as they become complete."""

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

    An unwritten plane is not a black plane: it is not delivered before its bytes exist. No call
    blocks for longer than the reading of one plane.
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
        """State of the acquisition, as of the last `news`."""

    @property
    def waiting(self) -> int:
        """Number of complete planes not delivered yet, as of the last `news`."""

    def completed_at(self, index: int) -> float:
        """Return the time at which a delivered plane became complete, in s as of `time.time`.

        As far as the source knows: when it saw the plane, or when its file was last written.
        """

    def news(self, limit: int | None = None) -> Sequence[Plane]:
        """Return planes that have become complete and were not delivered before, in order.

        Parameters
        ----------
        limit : int, optional
            Maximum number of planes; the others follow at the next call.

        Raises
        ------
        InputError
            If the source can no longer be read at all; a broken plane has a reason in its validity
            instead.
        """

    def stack(self) -> Stack:
        """Return the acquisition as it is now, like `open_stack`.

        It gives the same pixels as an offline reading of the finished acquisition; a missing plane
        has its reason. Each call looks anew.
        """

    def close(self) -> None:
        """Release files, devices and threads; further calls do nothing."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a growing stack at one moment."""

    stack: LazyStack
    data: Dataset

    @property
    def shared(self) -> bool:
        """Whether a plane's place may exist before the plane does."""
        return self.stack.selection.plane_axis in self.data.growth.shared_axes

    def stamp(self, index: int) -> Stamp | None:
        """Return the state of a plane's files: None without files, empty if not informative."""
        return self.data.growth.stamp(self.stack.selection.at(index))

    def checksum(self, index: int) -> int | None:
        """Return a checksum of a plane's pixels; None without evidence that it was written."""
        plane = self.stack.plane(index)
        blank = self.shared and plane.validity.reason in UNIFORM
        return None if blank or not plane.validity.readable else zlib.crc32(plane.data.data)


class Growing(Protocol):
    """Something that grows: files being written, an array being filled."""

    @property
    def name(self) -> str:
        """Name of the stack in tables and figures."""

    @property
    def source(self) -> str:
        """Where it comes from: a path, a layer, a device."""

    @property
    def replaced(self) -> bool:
        """Whether it is known to have changed since the last look: the next is due at once."""

    @property
    def ended(self) -> bool:
        """Whether no more planes will arrive."""

    def look(self, least_planes: int) -> Snapshot | None:
        """Return the stack as it is now; None if it does not exist or is inconsistent.

        Parameters
        ----------
        least_planes : int
            Number of planes up to the last one delivered.

        Raises
        ------
        InputError
            If it can no longer be read at all.
        """

    def sure_after_s(self, found: Snapshot, n_were_blank: int) -> float | None:
        """Return the time for which all planes must be present before the stack is complete.

        None if its length does not limit the planes to come. ``n_were_blank`` counts planes whose
        places were seen before they were written.
        """

    def stack(self) -> Stack:
        """Return the stack as it is now, like `open_stack`."""

    def close(self) -> None:
        """Release its resources."""
