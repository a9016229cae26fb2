"""Common parts of the two kinds of sets: frames by Micro-Manager's axes."""

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
    """One frame of a set; reading it leaves no file open."""

    @property
    def axes(self) -> Mapping[str, int | str]:
        """Its position, for example ``{"z": 3, "channel": "DAPI"}``; an axis may be left out."""

    def pixel_format(self) -> PixelFormat:
        """Return shape, type and bits of its pixels."""

    def pixels(self) -> npt.NDArray[Any]:
        """Read its pixels; raise BrokenPlaneError if they are truncated."""

    def metadata(self) -> Mapping[str, Any]:
        """Read its metadata."""


@dataclass(frozen=True)
class Acquisition:
    """A set: its name, its metadata, and its frames in the order of writing."""

    name: str
    summary: Mapping[str, Any]
    frames: Sequence[AcquiredFrame]
