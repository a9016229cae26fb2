"""Settings that the programs of multiphoton microscopes write down.

Depth and power are not among them: those a stack states of every plane.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import tifffile

from cop_core.stacks.formats import micromanager, prairie, thorimage
from cop_core.stacks.formats.micromanager import mmstack, ndtiff
from cop_core.stacks.formats.prairie.header import read_header as read_prairie
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.formats.tiff.scanimage.frames import n_averaged
from cop_core.stacks.formats.tiff.scanimage.header import read_header as read_scanimage
from cop_core.stacks.safe_xml import read_xml
from cop_core.stacks.units import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cop_core.recipes import SettingValue

_PRAIRIE: Final = {
    "dwellTime": "dwell_us",
    "opticalZoom": "zoom",
    "rastersPerFrame": "averages",
    "samplesPerPixel": "samples",
    "framePeriod": "frame_s",
    "objectiveLensNA": "objective_na",
}
_PRAIRIE_GAIN: Final = re.compile(r"pmtGain_(\d+)")
_THORIMAGE: Final = {"dwellTime": "dwell_us", "frameRate": "frame_hz", "fieldSize": "field"}
_MICROMANAGER: Final = {"Exposure-ms": "exposure_ms", "Exposure": "exposure_ms"}
_BINNING: Final = "Binning"
_GAIN: Final = re.compile(r"(?:.*-)?(?:EM)?Gain", re.IGNORECASE)


def of_prairie(path: Path) -> dict[str, SettingValue]:
    """Return what held for the first frame of a set of Prairie View; nothing for no set."""
    files = prairie.files_of(path)
    if not files:
        return {}
    stated = read_prairie(files[0]).frames[0].settings
    gains = {f"gain_{m[1]}": key for key in stated if (m := _PRAIRIE_GAIN.fullmatch(key))}
    keys = {**{name: key for key, name in _PRAIRIE.items()}, **gains}
    return _known((name, stated[key].value) for name, key in keys.items() if key in stated)


def of_thorimage(path: Path) -> dict[str, SettingValue]:
    """Return what the Experiment.xml of ThorImage states; nothing for no experiment."""
    files = thorimage.files_of(path)
    if not files:
        return {}
    root = read_xml(files[0], "Experiment.xml of ThorImage")
    scan, detectors = root.find("LSM"), root.find("PMT")
    pairs: list[tuple[str, Any]] = []
    if scan is not None:
        pairs += [(name, scan.get(key)) for key, name in _THORIMAGE.items()]
        averaged = scan.get("averageMode") == "1"
        pairs.append(("averages", scan.get("averageNum") if averaged else 1))
    if detectors is not None:
        on = [letter for letter in "ABCD" if detectors.get(f"enable{letter}") == "1"]
        pairs += [(f"gain_{letter.lower()}", detectors.get(f"gain{letter}")) for letter in on]
    return _known(pairs)


def of_micromanager(path: Path) -> dict[str, SettingValue]:
    """Return what Micro-Manager wrote down of the first frame of a set; nothing for no set."""
    if not micromanager.recognises(path):
        return {}
    kind = ndtiff if ndtiff.recognises(path) else mmstack
    note: Mapping[str, Any] = next(iter(kind.read_acquisition(path).frames)).metadata()
    gains = {key: "gain" for key in note if _GAIN.fullmatch(key)}
    found = _known((name, note.get(key)) for key, name in {**gains, **_MICROMANAGER}.items())
    return {**found, **({_BINNING.lower(): str(note[_BINNING])} if _BINNING in note else {})}


def of_scanimage(path: Path) -> dict[str, SettingValue]:
    """Return what the header of ScanImage states; nothing for another file."""
    if not path.is_file():
        return {}
    with quiet_tifffile(), tifffile.TiffFile(path) as tif:
        header = read_scanimage(tif, path)
    if header is None:
        return {}
    dwell_s = header.number("hScan2D.scanPixelTimeMean", "acq.pixelTime")
    gains = enumerate(header.numbers("hPmts.gains"), start=1)
    return _known(
        [
            ("dwell_us", None if dwell_s is None else 1e6 * dwell_s),
            ("averages", n_averaged(header)),
            ("zoom", header.number("hRoiManager.scanZoomFactor", "acq.zoomFactor")),
            *((f"gain_{channel}", gain) for channel, gain in gains),
        ]
    )


def _known(pairs: Iterable[tuple[str, Any]]) -> dict[str, SettingValue]:
    """Return the settings that are numbers."""
    read = {name: number(value) for name, value in pairs}
    return {name: value for name, value in read.items() if value is not None}
