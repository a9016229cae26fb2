"""Settings that the programs of multiphoton microscopes write down.

Depth and power are not among them: a stack states these for every plane.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import tifffile

from cop_core.cohort.metadata.values import agreed
from cop_core.stacks.formats import micromanager, prairie, thorimage
from cop_core.stacks.formats.micromanager import mmstack, ndtiff
from cop_core.stacks.formats.prairie.header import read_header as read_prairie
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.formats.tiff.scanimage.frames import stated_averages
from cop_core.stacks.formats.tiff.scanimage.header import read_header as read_scanimage
from cop_core.stacks.safe_xml import read_xml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cop_core.recipes import SettingValue
    from cop_core.stacks.formats.micromanager.frames import AcquiredFrame
    from cop_core.stacks.formats.tiff.scanimage.header import Header as ScanImageHeader

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
_CAMERA: Final = "Core-Camera"
_WRAPPED: Final = "PropVal"
_GAINS: Final = {"gain": "gain", "emgain": "em_gain", "multipliergain": "em_gain"}
_PRE_AMP: Final = re.compile("pre-?amp-gain$", re.IGNORECASE)


def of_prairie(path: Path) -> dict[str, SettingValue]:
    """Return the settings common to all frames of a Prairie View set; none if it is not a set."""
    files = prairie.files_of(path)
    if not files:
        return {}
    return agreed(
        (name, setting.value)
        for frame in read_prairie(files[0]).frames
        for key, setting in frame.settings.items()
        if (name := _name_of_prairie(key))
    )


def _name_of_prairie(key: str) -> str | None:
    gain = _PRAIRIE_GAIN.fullmatch(key)
    return f"gain_{gain[1]}" if gain else _PRAIRIE.get(key)


def of_thorimage(path: Path) -> dict[str, SettingValue]:
    """Return the settings in ThorImage's Experiment.xml; none if there is none."""
    files = thorimage.files_of(path)
    if not files:
        return {}
    root = read_xml(files[0], "Experiment.xml of ThorImage")
    scan, detectors = root.find("LSM"), root.find("PMT")
    pairs: list[tuple[str, Any]] = []
    if scan is not None:
        pairs += [(name, scan.get(key)) for key, name in _THORIMAGE.items()]
        averages = {"0": 1, "1": scan.get("averageNum")}
        pairs.append(("averages", averages.get(scan.get("averageMode", ""))))
    if detectors is not None:
        on = [letter for letter in "ABCD" if detectors.get(f"enable{letter}") == "1"]
        pairs += [(f"gain_{letter.lower()}", detectors.get(f"gain{letter}")) for letter in on]
    return agreed(pairs)


def of_micromanager(path: Path) -> dict[str, SettingValue]:
    """Return the settings common to all planes and channels of a set; none if it is not a set."""
    if not micromanager.recognises(path):
        return {}
    kind = ndtiff if ndtiff.recognises(path) else mmstack
    frames: dict[tuple[object, object], AcquiredFrame] = {}
    for frame in kind.read_acquisition(path).frames:
        frames.setdefault((frame.axes.get("z"), frame.axes.get("channel")), frame)
    notes = [_plain(frame.metadata()) for frame in frames.values()]
    binnings = {str(note[_BINNING]) for note in notes if _BINNING in note}
    found: dict[str, SettingValue] = {
        **agreed((name, note.get(key)) for note in notes for key, name in _MICROMANAGER.items()),
        **agreed(pair for note in notes for pair in _gains(note)),
    }
    return {**found, **({_BINNING.lower(): binnings.pop()} if len(binnings) == 1 else {})}


def _plain(note: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata with property values unwrapped, as Micro-Manager 2.0 wraps them."""
    return {k: v.get(_WRAPPED) if isinstance(v, dict) else v for k, v in note.items()}


def _gains(note: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the gains of the camera; those of all devices if the camera is not known."""
    found = [
        (key, _GAINS[word], value)
        for key, value in note.items()
        if (word := key.lower().rpartition("-")[2]) in _GAINS and not _PRE_AMP.search(key)
    ]
    own = [one for one in found if one[0].startswith(f"{note.get(_CAMERA)}-")]
    return [(name, value) for _, name, value in own or found]


def of_scanimage(path: Path) -> dict[str, SettingValue]:
    """Return the settings in the header of a ScanImage file; none for other files."""
    if not path.is_file():
        return {}
    with quiet_tifffile(), tifffile.TiffFile(path) as tif:
        header = read_scanimage(tif, path)
    if header is None:
        return {}
    dwell_s = header.number("hScan2D.scanPixelTimeMean", "scanPixelTimeMean", "acq.pixelTime")
    zoom = header.number("hRoiManager.scanZoomFactor", "scanZoomFactor", "acq.zoomFactor")
    return agreed(
        [
            ("dwell_us", None if dwell_s is None else 1e6 * dwell_s),
            ("averages", stated_averages(header)),
            ("zoom", zoom),
            *_gains_of_pmts(header),
        ]
    )


def _gains_of_pmts(header: ScanImageHeader) -> Iterator[tuple[str, Any]]:
    """Yield the gains of the PMTs that were on; of all if the header does not say."""
    gains, on = header.numbers("hPmts.gains"), header.flags("hPmts.powersOn")
    told = any(on) and len(on) == len(gains)
    for i, gain in enumerate(gains):
        if not told or on[i]:
            yield f"gain_{i + 1}", gain
