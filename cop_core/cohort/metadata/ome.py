"""Settings that OME-XML states of the instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import tifffile

from cop_core.stacks.formats.tiff.ome import parse_ome
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.units import number

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree import ElementTree as ET

    from cop_core.recipes import SettingValue

_SECONDS: Final = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}
_NUMBERS: Final = {
    ("DetectorSettings", "Gain"): "gain",
    ("DetectorSettings", "Voltage"): "detector_v",
    ("DetectorSettings", "Integration"): "integration",
    ("DetectorSettings", "Zoom"): "zoom",
    ("LightSourceSettings", "Attenuation"): "attenuation",
    ("Objective", "LensNA"): "objective_na",
    ("Objective", "NominalMagnification"): "magnification",
    ("ImagingEnvironment", "Temperature"): "temperature_c",
}
_WORDS: Final = {
    ("DetectorSettings", "Binning"): "binning",
    ("Detector", "Model"): "detector",
}


def settings_of(path: Path) -> dict[str, SettingValue]:
    """Return what the OME-XML of a TIFF states; nothing for another file."""
    if not path.is_file():
        return {}
    with quiet_tifffile(), tifffile.TiffFile(path) as tif:
        xml = tif.ome_metadata
    return from_xml(parse_ome(xml, str(path))) if xml else {}


def from_xml(root: ET.Element) -> dict[str, SettingValue]:
    """Return the settings that elements state, where all that state one agree."""
    stated: dict[str, set[SettingValue]] = {}
    for element in root.iter():
        for name, value in _of_element(element):
            stated.setdefault(name, set()).add(value)
    return {name: values.pop() for name, values in stated.items() if len(values) == 1}


def _of_element(element: ET.Element) -> list[tuple[str, SettingValue]]:
    tag = element.tag.rpartition("}")[2]
    found: list[tuple[str, SettingValue]] = []
    for (of, key), name in _NUMBERS.items():
        if of == tag and (value := number(element.get(key))) is not None:
            found.append((name, value))
    for (of, key), name in _WORDS.items():
        if of == tag and (word := element.get(key)):
            found.append((name, word))
    if tag == "Plane" and (exposure := number(element.get("ExposureTime"))) is not None:
        factor = _SECONDS.get(element.get("ExposureTimeUnit", "s"))
        found += [("exposure_s", exposure * factor)] if factor else []
    return found
