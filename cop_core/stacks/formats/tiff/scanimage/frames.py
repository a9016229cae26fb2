"""Assignment of the frames of a file to slices and volumes, from their number."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError
from cop_core.stacks.formats.tiff.scanimage.slices import PAGES_AS_PLANES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cop_core.stacks.formats.tiff.scanimage.header import Header
    from cop_core.stacks.formats.tiff.scanimage.slices import Slices

_N_AVERAGED: Final = (
    "hScan2D.logAverageFactor",
    "acqNumAveragedFramesSaved",
    "acqNumAveragedFrames",
    "acq.numAvgFramesSave",
)


@dataclass(frozen=True)
class Frames:
    """The order of frames: those of a slice are consecutive, slices form volumes.

    Attributes
    ----------
    n_slices, per_slice : int
        Slices per volume, and frames per slice in the file.
    flyback : int
        Flyback frames after each volume.
    n_volumes : float or None
        Infinite if it was to continue until stopped; None if not stated.
    """

    n_slices: int
    per_slice: int
    flyback: int
    n_volumes: float | None

    @property
    def a_volume(self) -> int:
        """Frames per volume."""
        return self.n_slices * self.per_slice + self.flyback

    @property
    def stated(self) -> float:
        """Frames of the acquisition; of one volume if the number of volumes is not stated."""
        return (1 if self.n_volumes is None else self.n_volumes) * self.a_volume

    def at(self, time: int, n_slice: int) -> int:
        """Return the index of a frame in the file."""
        volume, frame = divmod(time, self.per_slice)
        return volume * self.a_volume + n_slice * self.per_slice + frame

    def takes(self, n_frames: int) -> bool:
        """Return whether there may be so many frames: fewer than stated if it was aborted."""
        several = self.n_volumes is None and n_frames % self.a_volume == 0
        return n_frames <= self.stated or several


def n_averaged(header: Header) -> int:
    """Return the number of acquired frames per frame in the file."""
    return header.count(*_N_AVERAGED) or 1


def stated_averages(header: Header) -> int | None:
    """Return the number of acquired frames per frame in the file; None if not stated."""
    if header.states(*_N_AVERAGED):
        return header.count(*_N_AVERAGED)
    if not header.states("acq.averaging"):
        return None
    return header.count("acq.numberOfFrames") if header.flag("acq.averaging") else 1


def find_frames(header: Header, slices: Slices, n_frames: int, where: str) -> Frames:
    """Find the order in which a number of frames, of one channel, matches the header.

    Raises
    ------
    InputError
        If there are more frames than stated, or the number of their volumes is ambiguous.
    """
    fast, averaged = is_fast(header), n_averaged(header)
    acquired = _acquired(header, slices, n_frames, fast=fast)
    options = list(_options(header, slices, acquired, fast=fast))
    exact = (option for option in options if option.stated == n_frames)
    possible = (option for option in options if option.takes(n_frames))
    # if the average leaves a remainder, its frame is not known
    even = fast or acquired[0] % averaged == 0
    found = next(exact, next(possible, None) if even else None)
    if found is None:
        means = f", each the mean of {averaged}" if averaged > 1 else ""
        raise InputError(
            f"it holds {n_frames} frames of each channel, its header states"
            f" {_in_words(options[0])}{means}",
            where=where,
            advice=PAGES_AS_PLANES,
        )
    return found


def _options(
    header: Header, slices: Slices, acquired: tuple[int, ...], *, fast: bool
) -> Iterator[Frames]:
    """Yield possible meanings of the header, the most likely first."""
    n_volumes, averaged = _n_volumes(header, fast=fast), n_averaged(header)
    for n_acquired in acquired:
        even = n_acquired % averaged == 0
        per_slice = n_acquired // averaged if even else n_acquired
        for flyback in _flyback(header, slices, averaged) if fast else (0,):
            option = Frames(slices.number, per_slice, flyback, n_volumes)
            if fast and not even and n_volumes and n_volumes % averaged == 0:
                yield replace(option, n_volumes=n_volumes / averaged)
            yield option


def _acquired(header: Header, slices: Slices, n_frames: int, *, fast: bool) -> tuple[int, ...]:
    """Return possible numbers of acquired frames per slice."""
    stated = header.count("hStackManager.framesPerSlice", "acqNumFrames", "acq.numberOfFrames")
    if slices.repeats > 1:
        return (slices.repeats,)
    if stated is None:
        # a movie until stopped
        return (1,) if slices.number > 1 or fast else (max(n_frames, 1) * n_averaged(header),)
    if header.flag("acq.averaging") and not header.states(*_N_AVERAGED):
        return (1,)
    # until 2019 volumes had one frame of each slice, whatever the setting
    return tuple(dict.fromkeys((1, stated))) if fast else (stated,)


def _flyback(header: Header, slices: Slices, averaged: int) -> tuple[int, ...]:
    """Return possible numbers of frames after a volume in the file, none last."""
    with_flyback, without = (
        header.count(f"hStackManager.numFramesPerVolume{more}") or 0 for more in ("WithFlyback", "")
    )
    acquired = (
        with_flyback - without,
        header.count("hFastZ.numDiscardFlybackFrames", "fastZNumDiscardFrames") or 0,
        (header.count("hFastZ.numFramesPerVolume") or 0) - slices.number,
    )
    whole = (n // averaged for n in acquired if n % averaged == 0)
    return (*dict.fromkeys(n for n in (*acquired, *whole) if n > 0), 0)


def _n_volumes(header: Header, *, fast: bool) -> float | None:
    slow = "slow" in header.text("hStackManager.stackMode")
    names = ("hStackManager.actualNumVolumes", "hStackManager.numVolumes")
    if fast:
        return header.count(*names, "hFastZ.numVolumes", "fastZNumVolumes") or math.inf
    if slow:
        return header.count(*names) or 1
    told = header.states("hFastZ.enable", "fastZEnable", "acq.numberOfZSlices")
    return None if header.states("hChannels.channelSave") and not told else 1


def is_fast(header: Header) -> bool:
    """Return whether z was moved during continuous frames, volume after volume."""
    mode = header.text("hStackManager.stackMode")
    return "fast" in mode if mode else header.flag("hFastZ.enable", "fastZEnable")


def _in_words(frames: Frames) -> str:
    words = f"{frames.n_slices} slices of {frames.per_slice} frames"
    if frames.flyback:
        words += f" and {frames.flyback} flyback frames"
    return words if frames.n_volumes in (None, 1) else f"{frames.n_volumes:g} volumes of {words}"
