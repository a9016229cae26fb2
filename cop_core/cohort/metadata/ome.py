"""Settings of the instrument, from OME-XML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import tifffile

from cop_core.cohort.metadata.values import agreed
from cop_core.stacks.formats.tiff.ome import parse_ome
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.units import number

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree import ElementTree as ET

    from cop_core.recipes import SettingValue

_UNITS: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "exposure_s": {
        "s": (1, 0), "ms": (1e-3, 0), "µs": (1e-6, 0), "us": (1e-6, 0), "ns": (1e-9, 0),
        "min": (60, 0),
    },
    "detector_v": {"V": (1, 0), "mV": (1e-3, 0), "kV": (1e3, 0)},
    "temperature_c": {"°C": (1, 0), "K": (1, -273.15), "°F": (5 / 9, -160 / 9)},
}  # fmt: skip
"""Factor and offset of each unit; the first is the default."""
_NUMBERS: Final = {
    ("DetectorSettings", "Gain"): "gain",
    ("DetectorSettings", "Voltage"): "detector_v",
    ("DetectorSettings", "Integration"): "integration",
    ("DetectorSettings", "Zoom"): "zoom",
    ("LightSourceSettings", "Attenuation"): "attenuation",
    ("Objective", "LensNA"): "objective_na",
    ("Objective", "NominalMagnification"): "magnification",
    ("ImagingEnvironment", "Temperature"): "temperature_c",
    ("Plane", "ExposureTime"): "exposure_s",
}
_WORDS: Final = {
    ("DetectorSettings", "Binning"): "binning",
    ("Detector", "Model"): "detector",
}
_SETTINGS: Final = "Settings"


def settings_of(path: Path) -> dict[str, SettingValue]:
    """Return the settings in the OME-XML of a TIFF; none for other files."""
    if not path.is_file():
        return {}
    with quiet_tifffile(), tifffile.TiffFile(path) as tif:
        xml = tif.ome_metadata
    return from_xml(parse_ome(xml, str(path))) if xml else {}


def from_xml(root: ET.Element) -> dict[str, SettingValue]:
    """Return the settings of elements, if all elements that state one agree.

    If settings are stated for some devices of a kind, only these devices count.
    """
    elements = [(element.tag.rpartition("}")[2], element) for element in root.iter()]
    used: dict[str, set[str]] = {}
    for tag, element in elements:
        if tag.endswith(_SETTINGS):
            used.setdefault(tag.removesuffix(_SETTINGS), set()).add(element.get("ID", ""))
    numbers: list[tuple[str, float | None]] = []
    words: dict[str, set[str]] = {}
    for tag, element in elements:
        if element.get("ID", "") not in used.get(tag, {element.get("ID", "")}):
            continue
        for (of, key), name in _NUMBERS.items():
            if of == tag:
                numbers.append((name, _number(element, key, name)))
        for (of, key), name in _WORDS.items():
            if of == tag and (word := element.get(key)):
                words.setdefault(name, set()).add(word)
    only = {name: found.pop() for name, found in words.items() if len(found) == 1}
    return {**agreed(numbers), **only}


def _number(element: ET.Element, key: str, name: str) -> float | None:
    """Return a number in the unit at the end of its setting's name."""
    found, units = number(element.get(key)), _UNITS.get(name)
    if found is None or units is None:
        return found
    unit = element.get(f"{key}Unit", next(iter(units)))
    factor, offset = units.get(unit.replace("\u03bc", "µ"), (math.nan, 0))
    return factor * found + offset
