"""ThorImage's Experiment.xml: number, size and power of planes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.dataset import StatedPower
from cop_core.stacks.safe_xml import read_xml
from cop_core.stacks.units import number, step_um

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

WHAT: Final = "Experiment.xml of ThorImage"

_Z_AND_T, _STREAMING = "0", "1"
_CONSTANT, _TABLE = "0", "1"
_MOST_TABLE_BYTES: Final = 2**20
_SOURCES: Final = ("Pockels", "PowerRegulator", "PowerRegulator2")


@dataclass(frozen=True)
class Experiment:
    """A planned acquisition.

    Attributes
    ----------
    plane_shape : tuple of int
        Height and width.
    channels : tuple of str
        Names of the saved channels.
    n_times, n_planes, n_flyback : int
        Volumes, planes per volume, and frames between two volumes that are not planes.
    fast : bool
        Whether planes were streamed; the last volume may then be incomplete.
    z_step_um : float or None
        Distance of planes.
    pixel_size_um : float or None
        Side of a pixel.
    power : StatedPower or None
        In per cent.
    remarks : tuple of str
        Remarks on the power.
    """

    plane_shape: tuple[int, int]
    channels: tuple[str, ...]
    n_times: int
    n_planes: int
    n_flyback: int
    fast: bool
    z_step_um: float | None
    pixel_size_um: float | None
    power: StatedPower | None
    remarks: tuple[str, ...]


def read_experiment(path: Path) -> Experiment:
    """Read an Experiment.xml.

    Raises
    ------
    InputError
        If it cannot be parsed, or is neither of a z-stack nor of a movie.
    """
    root, where = read_xml(path, WHAT), str(path)
    scan, stage = (_only(root, name, where) for name in ("LSM", "ZStage"))
    streamed = _mode(root, where) == _STREAMING
    n_times, n_planes, n_flyback = _counts(root, stage, where, streamed=streamed)
    power, remarks = _power(root, n_planes, path.parent)
    return Experiment(
        plane_shape=(_count(scan, "pixelY", where), _count(scan, "pixelX", where)),
        channels=tuple(w.get("name", "") for w in root.findall("Wavelengths/Wavelength")),
        n_times=n_times,
        n_planes=n_planes,
        n_flyback=n_flyback,
        fast=streamed,
        z_step_um=step_um(stage.get("stepSizeUM"), "um"),
        pixel_size_um=step_um(scan.get("pixelSizeUM"), "um"),
        power=power,
        remarks=remarks,
    )


def _mode(root: ET.Element, where: str) -> str:
    mode = _only(root, "CaptureMode", where).get("mode", "")
    if mode not in (_Z_AND_T, _STREAMING):
        raise InputError(
            f"it was taken in capture mode {mode!r}, which is not a z-stack",
            where=where,
            advice="open a z series, a time series or a stream",
        )
    return mode


def _counts(
    root: ET.Element, stage: ET.Element, where: str, *, streamed: bool
) -> tuple[int, int, int]:
    """Return volumes, planes per volume and flyback frames after each."""
    n_planes = _count(stage, "steps", where) if stage.get("enable", "1") == "1" else 1
    if not streamed:
        if stage.get("zStreamMode") == "1" and _count(stage, "zStreamFrames", where) > 1:
            raise InputError(
                "several frames were streamed at each z step (zStreamFrames)",
                where=where,
                advice="export their averages as a TIFF, and open that",
            )
        return _count(_only(root, "Timelapse", where), "timepoints", where), n_planes, 0
    stream = _only(root, "Streaming", where)
    n_frames = _count(stream, "frames", where)
    if stream.get("zFastEnable") != "1":
        return n_frames, 1, 0
    n_flyback = int(number(stream.get("flybackFrames")) or 0)
    return max(n_frames // (n_planes + n_flyback), 1), n_planes, n_flyback


def _power(
    root: ET.Element, n_planes: int, folder: Path
) -> tuple[StatedPower | None, tuple[str, ...]]:
    """Return the power of the one modulator that was on, and remarks."""
    on = [
        element
        for name in _SOURCES
        for element in root.findall(name)
        if element.get("enable", "1") == "1" and (number(element.get("start")) or _ramp(element))
    ]
    if len(on) != 1:
        names = ", ".join(element.tag for element in on)
        said = f"several modulators set the power ({names}), so it is not taken from the file"
        return None, (said,) if on else ()
    (element,) = on
    if _ramp(element):
        return _from_table(element, n_planes, folder)
    start, stop = number(element.get("start")), number(element.get("stop"))
    if element.get("type") != _CONSTANT or start is None or stop not in (None, start):
        said = f"{element.tag} states a power in a way that is not known, so it is not taken"
        return None, (said,)
    return StatedPower((start,), "%", f"{element.tag} of Experiment.xml"), ()


def _ramp(element: ET.Element) -> bool:
    """Return whether the power follows a table over z."""
    return element.get("type") == _TABLE and bool(element.get("path"))


def _from_table(
    element: ET.Element, n_planes: int, folder: Path
) -> tuple[StatedPower | None, tuple[str, ...]]:
    """Return the power from a table beside it, of per cent of the z range and per cent of power."""
    name = PureWindowsPath(element.get("path", "")).name
    table = _read_table(folder / name)
    if table is None:
        said = f"its power follows the table {name!r}, which is missing or is not a table"
        return None, (f"{said}: copy it into the folder, or set the power",)
    place = np.linspace(0, 100, n_planes)
    power = np.interp(place, table[:, 0], table[:, 1])
    return StatedPower(tuple(power.tolist()), "%", f"{element.tag}, by {name}"), ()


def _read_table(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float64]] | None:
    """Return a table of two columns, sorted by the first; None if it is not such a table."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_TABLE_BYTES:
            return None
        found = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError):
        return None
    good = found.shape[0] > 0 and found.shape[1] == 2 and np.isfinite(found).all()
    return found[np.argsort(found[:, 0])] if good else None


def _only(root: ET.Element, name: str, where: str) -> ET.Element:
    found = root.find(name)
    if found is None:
        raise InputError(f"the {WHAT} has no {name}", where=where)
    return found


def _count(element: ET.Element, key: str, where: str) -> int:
    found = number(element.get(key))
    if found is None or found < 1 or found != int(found):
        text = element.get(key)
        raise InputError(f"the {WHAT} states {key}={text!r} in {element.tag}", where=where)
    return int(found)
