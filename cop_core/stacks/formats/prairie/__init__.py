"""Prairie View (Bruker) sets: an XML, and TIFFs of its frames and channels beside it."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.aborted import OR_MOVED, how_much
from cop_core.stacks.dataset import Dataset, Growth
from cop_core.stacks.formats.plane_files import PlaneFile, PlaneFiles, first_page
from cop_core.stacks.formats.prairie.header import PrairieFrame, PrairieHeader, read_header
from cop_core.stacks.formats.prairie.settings import (
    frames_alike,
    laser_power,
    plane_shape,
    scale_of,
)
from cop_core.stacks.limits import require_plane_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.stacks.dataset import Opening

KIND = "Prairie View"

_BEGINS: Final = b"<PVScan"
_HEAD_BYTES: Final = 1024
_OF_SET: Final = re.compile(r"(?P<set>.+?)_Cycle\d+_.*\.tiff?", re.IGNORECASE)


def recognises(path: Path) -> bool:
    """Return whether a folder has the XML of a set, or a file is that XML or belongs to it."""
    return bool(_xml_files(path))


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the XML and all files that it names; empty if there is no set."""
    found = _xml_files(path)
    if len(found) != 1:
        return ()
    return (found[0], *(found[0].parent / name for name in read_header(found[0]).file_names))


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe a set; frames of a z-series are its planes, sequences its time points.

    Raises
    ------
    InputError
        If a folder has several sets, or the XML cannot be used.
    """
    xml = _only(_xml_files(path), path)
    header = read_header(xml)
    _require_member(path, header)
    sequences = [frames_alike(header.sequences[0].frames, each.frames) for each in header.sequences]
    files, shape = _planes(header, sequences, xml.parent)
    require_plane_count(math.prod(shape), str(xml))
    frames = sequences[0]
    found = first_page(at.path for at in files.values())
    if found is None and not opening.allow_partial:
        raise InputError(
            "the image files that its XML names are missing",
            where=str(xml),
            advice="put the XML and all files of the set into one folder",
        )
    # Prairie View writes only 16 bits
    (height, width), dtype = found or (plane_shape(frames[0].settings, str(xml)), np.dtype("u2"))
    letter = "Z" if header.sequences[0].is_stack else "I"
    axes = f"T{letter}C" if len(header.sequences) > 1 else f"{letter}C"
    read = PlaneFiles(axes, files if len(axes) == 3 else {at[1:]: f for at, f in files.items()})
    power, remarks = laser_power(sequences, header.lasers)
    return Dataset(
        source=str(_canonical(xml)),
        name=xml.stem,
        kind="prairie-view",
        axes=f"{axes}YX",
        shape=(*shape[-len(axes) :], height, width),
        dtype=dtype,
        read=read,
        scale=scale_of(frames, shape[1]),
        channels=tuple(header.channels.values()),
        power=power,
        remarks=(*remarks, *_lacking(header, xml.parent)),
        growth=Growth(read.stamp, shared_axes=read.shared_axes),
    )


def _lacking(header: PrairieHeader, folder: Path) -> tuple[str, ...]:
    """Return a remark on how much of a set is there, if files are missing."""
    there = {path.name for path in folder.iterdir()}
    whole = sum(all(name in there for name, _ in f.files.values()) for f in header.frames)
    return how_much(whole, len(header.frames), why=OR_MOVED)


def _planes(
    header: PrairieHeader, sequences: Sequence[tuple[PrairieFrame, ...]], folder: Path
) -> tuple[Mapping[tuple[int, ...], PlaneFile], tuple[int, ...]]:
    """Return the file of every plane by sequence, frame and channel, and the number of each."""
    order = {number: index for index, number in enumerate(header.channels)}
    files: dict[tuple[int, ...], PlaneFile] = {}
    for t, frames in enumerate(sequences):
        for z, frame in enumerate(frames):
            for number, (name, page) in frame.files.items():
                files[t, z, order[number]] = PlaneFile(folder / name, page)
    return files, (len(sequences), max(map(len, sequences)), len(order))


def _require_member(path: Path, header: PrairieHeader) -> None:
    """Refuse a TIFF beside a set that is not part of it, such as a projection."""
    if path.suffix.lower() in (".tif", ".tiff") and path.name not in header.file_names:
        raise InputError(
            "it lies beside a set of Prairie View but is not one of its planes",
            where=str(path),
            advice="open the set's folder, or move the file elsewhere to open it alone",
        )


def _xml_files(path: Path) -> list[Path]:
    """Return the XML of the sets to which a path may belong."""
    if path.is_dir():
        return sorted(found for found in path.glob("*.xml") if _is_header(found))
    if path.suffix.lower() == ".xml":
        return [path] if _is_header(path) else []
    member = _OF_SET.fullmatch(path.name)
    beside = path.with_name(f"{member['set']}.xml") if member else None
    return [beside] if beside is not None and _is_header(beside) else []


def _is_header(path: Path) -> bool:
    try:
        if not path.is_file():  # a pipe would never end
            return False
        with path.open("rb") as file:
            return _BEGINS in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _only(found: list[Path], path: Path) -> Path:
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in found[:10])
    raise InputError(
        f"the folder holds {len(found)} sets of Prairie View: {names}",
        where=str(path),
        advice="open one by its XML",
    )


def _canonical(xml: Path) -> Path:
    """Return the path of a set: its folder, or its XML if there are others."""
    return xml.parent if len(_xml_files(xml.parent)) == 1 else xml
