"""ThorImage (Thorlabs) folders: Experiment.xml, and a set of TIFFs or a raw file beside it.

Untested on real stacks: based on a real Experiment.xml and public descriptions of the files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.aborted import OR_MOVED, how_much
from cop_core.stacks.axes import require_position
from cop_core.stacks.dataset import Dataset, Growth, Scale
from cop_core.stacks.formats.plane_files import PlaneFile, PlaneFiles, first_page
from cop_core.stacks.formats.thorimage.experiment import Experiment, read_experiment
from cop_core.stacks.formats.thorimage.raw import read_raw
from cop_core.stacks.limits import require_block, require_plane_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cop_core.stacks.dataset import Opening, ReadPlane

KIND = "ThorImage"

_NAME: Final = "Experiment.xml"
_BEGINS: Final = b"<ThorImageExperiment"
_HEAD_BYTES: Final = 1024
_TIFF: Final = re.compile(r"(Chan\w+?)_(\d+)_(\d+)_(\d+)_(\d+)\.tiff?", re.IGNORECASE)
_RAW: Final = re.compile(r"Image_\d+_\d+\.raw", re.IGNORECASE)


def recognises(path: Path) -> bool:
    """Return whether a path is the folder of an experiment, its XML, or a file of its planes."""
    return _folder(path) is not None


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the XML and the files of planes beside it; empty if there is no experiment."""
    folder = _folder(path)
    if folder is None:
        return ()
    return (folder / _NAME, *_matching(folder, _TIFF), *_matching(folder, _RAW))


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe an experiment; positions are its scans and tiles.

    Raises
    ------
    InputError
        If its XML cannot be used, there are no planes beside it, or their number does not match.
    """
    folder = _folder(path) or path
    experiment = read_experiment(folder / _NAME)
    where, stacked = str(folder), experiment.n_planes > 1
    require_plane_count(experiment.n_times * experiment.n_planes, where)
    require_block(experiment.plane_shape, 2, "plane", where)
    read, growth, dtype, n_positions, remarks = _planes(folder, experiment, opening)
    sizes = {"T": experiment.n_times, "Z": experiment.n_planes, "C": len(experiment.channels)}
    axes = "TZC" if stacked else "TC"
    side = experiment.pixel_size_um
    step_um = experiment.z_step_um if stacked else None
    return Dataset(
        source=where,
        name=folder.resolve().name,
        kind="thorimage",
        axes=f"{axes}YX",
        shape=(*(sizes[axis] for axis in axes), *experiment.plane_shape),
        dtype=dtype,
        read=read,
        scale=Scale(step_um, None, (side, side) if side else None),
        channels=experiment.channels,
        power=experiment.power,
        positions=n_positions,
        remarks=(*experiment.remarks, *remarks),
        growth=growth,
    )


def _planes(
    folder: Path, experiment: Experiment, opening: Opening
) -> tuple[ReadPlane, Growth, np.dtype[np.generic], int, tuple[str, ...]]:
    """Return the reader of planes, how they grow, their type, and the number of positions."""
    raws = _matching(folder, _RAW)
    if raws:
        names = [raw.name for raw in raws]
        at = require_position(opening.position, len(raws), str(folder), names)
        raw = read_raw(raws[at], experiment)
        return raw.read, Growth(in_order=True), np.dtype(np.uint16), len(raws), raw.remarks
    tiffs = _matching(folder, _TIFF)
    if not tiffs and not opening.allow_partial:
        raise InputError(
            f"no planes lie beside its {_NAME} (ChanA_0001_0001_0001_0001.tif, or "
            "Image_0001_0001.raw)",
            where=str(folder),
            advice="put them into one folder, or open a TIFF that was exported by itself",
        )
    sites = _sites(tiffs)
    names = ["_".join(site) for site in sites]
    at = require_position(opening.position, max(len(sites), 1), str(folder), names)
    files = _numbered(tiffs, sites[at] if sites else ("", ""), experiment)
    found = first_page(file.path for file in files.values())
    read = PlaneFiles("TZC", files)
    dtype = found[1] if found else np.dtype(np.uint16)
    n_files = experiment.n_times * experiment.n_planes * len(experiment.channels)
    lacking = how_much(len(files), n_files, "files", OR_MOVED)
    return read, Growth(read.stamp, shared_axes=""), dtype, max(len(sites), 1), lacking


def _sites(tiffs: list[Path]) -> list[tuple[str, str]]:
    """Return the distinct scans and tiles of the files."""
    matches = (_TIFF.fullmatch(path.name) for path in tiffs)
    return sorted({(match[2], match[3]) for match in matches if match})


def _numbered(
    tiffs: list[Path], site: tuple[str, str], experiment: Experiment
) -> Mapping[tuple[int, ...], PlaneFile]:
    """Return the files of one scan and tile by time, plane and channel, numbered from 1."""
    channels = {name.lower(): index for index, name in enumerate(experiment.channels)}
    files: dict[tuple[int, ...], PlaneFile] = {}
    for path in tiffs:
        match = _TIFF.fullmatch(path.name)
        if match and (match[2], match[3]) == site and match[1].lower() in channels:
            z, t = int(match[4]) - 1, int(match[5]) - 1
            files[t, z, channels[match[1].lower()]] = PlaneFile(path)
    return files


def _matching(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))


def _folder(path: Path) -> Path | None:
    """Return the folder of the experiment to which a path belongs; None if there is none."""
    if path.is_dir():
        folder = path
    elif path.name == _NAME or _TIFF.fullmatch(path.name) or _RAW.fullmatch(path.name):
        folder = path.parent
    else:
        return None
    try:
        if not (folder / _NAME).is_file():  # a pipe would never end
            return None
        with (folder / _NAME).open("rb") as file:
            return folder if _BEGINS in file.read(_HEAD_BYTES) else None
    except OSError:
        return None
