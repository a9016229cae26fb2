"""Settings of cameras, from EXIF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from PIL import ExifTags, Image

from cop_core.recipes import SettingValue
from cop_core.stacks.units import number

ReadSettings: TypeAlias = Callable[[Path], dict[str, SettingValue]]
"""Reads the settings that a file states."""

_NUMBERS: Final = {
    ExifTags.Base.ISOSpeedRatings: "iso",
    ExifTags.Base.ExposureTime: "shutter_s",
    ExifTags.Base.FNumber: "f_number",
    ExifTags.Base.FocalLength: "focal_length_mm",
    ExifTags.Base.BrightnessValue: "brightness_ev",
    ExifTags.Base.ExposureBiasValue: "exposure_bias_ev",
    ExifTags.Base.AmbientTemperature: "temperature_c",
}
_WORDS: Final = {ExifTags.Base.Model: "camera", ExifTags.Base.LensModel: "lens"}


def settings_of(path: Path) -> dict[str, SettingValue]:
    """Return what the EXIF of a picture states."""
    with Image.open(path) as image:
        exif = image.getexif()
        tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    numbers = {name: number(_first(tags.get(tag))) for tag, name in _NUMBERS.items()}
    words = {name: str(tags.get(tag, "")).strip("\0 ") for tag, name in _WORDS.items()}
    return {name: value for name, value in {**numbers, **words}.items() if value not in (None, "")}


def _first(value: Any) -> Any:
    """Return the first of several values, as ISO may be stated."""
    return value[0] if isinstance(value, tuple) and value else value
