"""What the two kinds of sets have in common: frames, by axes that Micro-Manager names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt


class PixelFormat(NamedTuple):
    """Shape (colour samples last), type and bits of the pixels of a frame."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bits: int


class AcquiredFrame(Protocol):
    """One frame of a set; whatever it reads, it leaves no file open."""

    @property
    def axes(self) -> Mapping[str, int | str]:
        """Where it is, for example ``{"z": 3, "channel": "DAPI"}``; an axis may be left out."""

    def pixel_format(self) -> PixelFormat:
        """Return shape, type and bits of its pixels."""

    def pixels(self) -> npt.NDArray[Any]:
        """Read its pixels; raise BrokenPlaneError where they are cut off."""

    def metadata(self) -> Mapping[str, Any]:
        """Read what was written down with it."""


@dataclass(frozen=True)
class Acquisition:
    """A set: its name, what was written down of all of it, its frames as they were written."""

    name: str
    summary: Mapping[str, Any]
    frames: Sequence[AcquiredFrame]
