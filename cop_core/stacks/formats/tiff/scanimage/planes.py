"""Reading a plane of a ScanImage file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cop_core.stacks.dataset import BrokenPlaneError
from cop_core.stacks.validity import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from cop_core.stacks.dataset import Position
    from cop_core.stacks.formats.tiff.planes import Planes
    from cop_core.stacks.formats.tiff.scanimage.frames import Frames
    from cop_core.stacks.formats.tiff.scanimage.regions import Strip

NOT_ACQUIRED: Final = "not acquired"
ELSEWHERE: Final = "in a missing file"


@dataclass(frozen=True)
class ScanImagePlanes:
    """Reads a plane by slice, time point and channel.

    Attributes
    ----------
    pages : Planes
        All pages of the file, channels of a frame one after the other.
    n_frames, n_channels : int
        Numbers of complete frames, and of channels.
    order : sequence of int
        Slice of each plane.
    strip : Strip or None
        Region to cut out.
    lacking : str
        Why frames beyond the last are missing.
    """

    pages: Planes
    frames: Frames
    n_frames: int
    n_channels: int
    order: Sequence[int]
    strip: Strip | None
    lacking: str

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width); raise BrokenPlaneError if it is missing."""
        n_slice = self.order[position["Z"]]
        frame = self.frames.at(position["T"], n_slice)
        if frame >= self.n_frames:
            raise BrokenPlaneError(self.lacking)
        page = frame * self.n_channels + position["C"]
        if not self.pages.readable(page):
            raise BrokenPlaneError(TRUNCATED)
        plane = self.pages.read(page)
        if self.strip is None:
            return plane
        top, (height, width) = self.strip.first_rows[n_slice], self.strip.region.shape
        return plane[top : top + height, :width]
