"""An acquisition of ScanImage, from its header and the number of its pages."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError
from cop_core.stacks.aborted import ABORTED, how_much
from cop_core.stacks.axes import require_position
from cop_core.stacks.dataset import Dataset, Growth, Scale, StatedPower
from cop_core.stacks.formats.tiff.checks import COPY_AGAIN, OR_WHAT_THERE_IS
from cop_core.stacks.formats.tiff.scanimage.channels import (
    channel_names,
    read_detectors,
    saved_channels,
)
from cop_core.stacks.formats.tiff.scanimage.frames import find_frames, n_averaged
from cop_core.stacks.formats.tiff.scanimage.header import Header
from cop_core.stacks.formats.tiff.scanimage.pieces import PER_FILE, Piece, join
from cop_core.stacks.formats.tiff.scanimage.pixels import pixel_size_um
from cop_core.stacks.formats.tiff.scanimage.planes import ELSEWHERE, NOT_ACQUIRED, ScanImagePlanes
from cop_core.stacks.formats.tiff.scanimage.power import UNREAD, read_power
from cop_core.stacks.formats.tiff.scanimage.regions import read_strips
from cop_core.stacks.formats.tiff.scanimage.slices import PAGES_AS_PLANES, read_slices
from cop_core.stacks.units import number
from cop_core.stacks.validity import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cop_core.stacks.dataset import Opening
    from cop_core.stacks.formats.tiff.layout import Layout
    from cop_core.stacks.formats.tiff.scanimage.frames import Frames
    from cop_core.stacks.formats.tiff.scanimage.regions import Strip
    from cop_core.stacks.formats.tiff.scanimage.slices import Slices

FORMAT: Final = "scanimage-tiff"
_WHY: Final = {
    NOT_ACQUIRED: ABORTED,
    ELSEWHERE: "the next file is not beside this one, or the acquisition was aborted",
    TRUNCATED: "the file is truncated or still being written",
}


@dataclass(frozen=True)
class _Acquisition:
    """An acquisition, from its header and the number of pages.

    Attributes
    ----------
    n_frames : int
        Complete frames per channel in its files, up to the first truncated one.
    cut : bool
        Whether a file ends in the middle of a page.
    order : tuple of int
        Slice of each plane.
    """

    header: Header
    layout: Layout
    channels: tuple[int, ...]
    slices: Slices
    frames: Frames
    n_frames: int
    cut: bool
    strip: Strip | None
    order: tuple[int, ...]

    @property
    def n_volumes(self) -> int:
        """Number of volumes begun."""
        return max(1, math.ceil(self.n_frames / self.frames.a_volume))

    @property
    def n_expected(self) -> int:
        """Frames stated in the header or, if it states no end, those of the volumes begun."""
        stated = self.frames.stated
        return self.n_volumes * self.frames.a_volume if math.isinf(stated) else int(stated)

    @property
    def lacking(self) -> str:
        """Why expected frames are missing; empty if none is."""
        if self.n_frames >= self.n_expected:
            return ""
        if self.cut:
            return TRUNCATED
        per_file = self.header.count(*PER_FILE)
        return ELSEWHERE if per_file and self.n_frames % per_file == 0 else NOT_ACQUIRED

    @property
    def how_much(self) -> tuple[str, ...]:
        """What is there, and why the rest is missing, for errors and remarks."""
        if not self.lacking:
            return ()
        plain = self.n_expected == len(self.slices.order)
        what = "planes" if plain and self.strip is None else "frames"
        return how_much(self.n_frames, self.n_expected, what, _WHY[self.lacking])


def describe_acquisition(pieces: Sequence[Piece], path: Path, opening: Opening) -> Dataset:
    """Describe an acquisition from its files, opened by one of them.

    Raises
    ------
    InputError
        If the number of pages differs from the header, the file is truncated or begins in the
        middle of an acquisition, or there are several regions of interest and none is chosen.
    """
    where, header = str(path), pieces[0].header
    channels, slices = saved_channels(header, where), read_slices(header, where)
    layout, n_pages = join(pieces, len(channels))
    n_whole = next((i for i in range(n_pages) if not layout.planes.readable(i)), n_pages)
    cut = layout.at_least or n_whole < n_pages
    n_frames, rest = divmod(n_pages, len(channels))
    if rest and not (cut or opening.allow_partial):
        problem = f"its {n_pages} pages do not divide into the {len(channels)} channels saved"
        raise InputError(problem, where=where, advice=PAGES_AS_PLANES)
    _require_beginning(header, where)
    frames = find_frames(header, slices, n_frames, where)
    strips = read_strips(header, slices, (layout.shape[-2], layout.shape[-1]), where)
    names = [strip.region.name for strip in strips]
    strip = (
        strips[require_position(opening.position, len(strips), where, names)] if strips else None
    )
    order = tuple(i for i in slices.order if strip is None or i in strip.first_rows)
    n_there = n_whole // len(channels)
    found = _Acquisition(header, layout, channels, slices, frames, n_there, cut, strip, order)
    if cut and not (opening.allow_partial and n_there):
        advice = COPY_AGAIN + OR_WHAT_THERE_IS * bool(n_there)
        what = next(iter(found.how_much), _WHY[TRUNCATED])
        raise InputError(what, where=where, advice=advice)
    stem = path.name.removesuffix(path.suffix)
    name = stem if len(pieces) == 1 else stem.rpartition("_")[0]
    return _dataset(found, len(strips) or None, path, name)


def _require_beginning(header: Header, where: str) -> None:
    """Refuse a file that continues another one."""
    first = number(header.frame.get("frameNumberAcquisition"))
    if first is not None and first > n_averaged(header):
        raise InputError(
            f"it begins with frame {first:g} of an acquisition that another file begins",
            where=where,
            advice=f"open the file that begins it, with the others beside it; {PAGES_AS_PLANES}",
        )


def _dataset(found: _Acquisition, n_regions: int | None, path: Path, name: str) -> Dataset:
    n_planes, n_channels = len(found.order), len(found.channels)
    page = found.strip.region.shape if found.strip else found.layout.shape[-2:]
    power, unread = _power(found)
    read = ScanImagePlanes(
        found.layout.planes,
        found.frames,
        found.n_frames,
        n_channels,
        found.order,
        found.strip,
        found.lacking or NOT_ACQUIRED,
    )
    return Dataset(
        source=str(path),
        name=name,
        kind=FORMAT,
        axes="TZCYX",
        shape=(found.n_volumes * found.frames.per_slice, n_planes, n_channels, *page),
        dtype=found.layout.dtype,
        read=read,
        scale=_scale(found),
        channels=channel_names(found.header, found.channels),
        power=power,
        detectors=read_detectors(found.header, found.channels, found.layout.dtype),
        positions=n_regions,
        usual_time=0 if n_planes > 1 and found.n_volumes == 1 else None,
        remarks=(*_remarks(found), *unread),
        declared=n_planes > 1,
        growth=Growth(in_order=found.order == tuple(range(n_planes)), shared_axes=""),
    )


def _scale(found: _Acquisition) -> Scale:
    z_um, pixel_um = found.slices.z_um, pixel_size_um(found.header, found.layout.shape, found.strip)
    if not z_um or len(z_um) < 2:
        return Scale(pixel_size_um=pixel_um)
    if found.slices.listed or found.strip is not None:
        return Scale(None, tuple(z_um[i] for i in found.order), pixel_um)
    return Scale(abs(z_um[1] - z_um[0]), None, pixel_um)


def _power(found: _Acquisition) -> tuple[StatedPower | None, tuple[str, ...]]:
    """Return the power at each plane, or the reason why it is not read."""
    if found.strip is not None and found.strip.region.own_power:
        return None, (f"{UNREAD}: the region has settings of its own",)
    stated, remarks = read_power(found.header, found.slices)
    if stated is None:
        return None, remarks
    return replace(stated, values=tuple(stated.values[i] for i in found.order)), remarks


def _remarks(found: _Acquisition) -> Iterator[str]:
    frames, averaged = found.frames, n_averaged(found.header)
    if averaged > 1:
        summed = found.header.flag("hScan2D.logAverageDisableDivide")
        kind = "sum" if summed else "mean"
        yield f"each of its frames is the {kind} of {averaged}: the noise is that of the {kind}"
    if frames.per_slice > 1:
        yield f"the {frames.per_slice} frames of each slice are time points"
    if frames.flyback:
        n_left_out = frames.flyback * (found.n_frames // frames.a_volume)
        yield f"{n_left_out} flyback frames ({frames.flyback} after each volume) are left out"
    yield from found.how_much
    if found.order != tuple(range(len(found.order))):
        yield "its planes are sorted by depth: they were acquired in another order"
