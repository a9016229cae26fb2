"""The saved channels, and the detectors stated in the header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.dataset import StatedDetector
from cop_core.stacks.formats.tiff.scanimage.frames import n_averaged
from cop_core.stacks.formats.tiff.scanimage.slices import PAGES_AS_PLANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.stacks.formats.tiff.scanimage.header import Header

_T = TypeVar("_T")

_OFFSETS: Final = ("hChannels.channelOffset", "hScan2D.channelOffsets", "channelOffsets")
_SUBTRACTS: Final = (
    "hChannels.channelSubtractOffset",
    "hScan2D.channelsSubtractOffsets",
    "channelsSubtractOffset",
)
_BITS: Final = ("hChannels.channelAdcResolution", "hScan2D.channelsAdcResolution")


def saved_channels(header: Header, where: str) -> tuple[int, ...]:
    """Return the numbers of the channels in the file, from 1; a single one if none is stated.

    Raises
    ------
    InputError
        If they cannot be read: their number is then not known.
    """
    saved = header.numbers("hChannels.channelSave", "channelsSave") or _of_version_3(header)
    if not all(n is not None and n >= 1 and n == int(n) for n in saved):
        raise InputError(
            "its header does not say in numbers which channels were saved (channelSave)",
            where=where,
            advice=PAGES_AS_PLANES,
        )
    return tuple(int(n) for n in saved if n)


def _of_version_3(header: Header) -> list[float]:
    saved = [n for n in range(1, 5) if header.flag(f"acq.savingChannel{n}")]
    return [*saved] or [*range(1, (header.count("acq.numberOfChannelsSave") or 1) + 1)]


def channel_names(header: Header, channels: Sequence[int]) -> tuple[str, ...]:
    """Return the names of channels."""
    named = dict(enumerate(header.names("hChannels.channelName", "channelName"), 1))
    return tuple(named.get(n) or f"Channel {n}" for n in channels)


def read_detectors(
    header: Header, channels: Sequence[int], dtype: np.dtype[Any]
) -> tuple[StatedDetector, ...]:
    """Read the zero and the ceiling of each channel, in counts of the file.

    The offset is the zero level; if it has been subtracted, zero is 0, and the ceiling of the
    digitiser is lower by it. Types other than ScanImage's own were written by another program, with
    different counts.
    """
    if dtype.kind != "i":
        return ()
    found = tuple(_detector(header, n, float(np.iinfo(dtype).max)) for n in channels)
    return found if any(one.stated_by for one in found) else ()


def _detector(header: Header, channel: int, largest: float) -> StatedDetector:
    """Read the zero and the ceiling of a channel, the ceiling at most the largest of the type."""
    subtracts = _entry(header.flags(*_SUBTRACTS), channel)
    offset = _entry(header.numbers(*_OFFSETS), channel)
    bits = _entry(header.numbers(*_BITS), channel)
    # sums of frames are stored if division by their number was switched off
    added = n_averaged(header) if header.flag("hScan2D.logAverageDisableDivide") else 1
    taken = offset if subtracts else 0.0
    zero = 0.0 if subtracts else offset if subtracts is False else None
    ceiling = None
    if bits and 1 < bits <= 64 and subtracts is not None and taken is not None:
        ceiling = min(added * (2.0 ** (bits - 1) - 1 - taken), largest)
    if zero is None and ceiling is None:
        return StatedDetector()
    return StatedDetector(None if zero is None else added * zero, ceiling, "SI.hChannels")


def _entry(listed: Sequence[_T], channel: int) -> _T | None:
    """Return the entry of a channel; a single one applies to all."""
    if len(listed) == 1:
        return listed[0]
    return listed[channel - 1] if 0 < channel <= len(listed) else None
