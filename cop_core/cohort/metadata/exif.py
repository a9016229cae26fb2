"""Settings of cameras, from EXIF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from PIL import ExifTags, Image, TiffImagePlugin

from cop_core.cohort.metadata.values import agreed
from cop_core.recipes import SettingValue

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


_MOST_ISO: Final = 65_535
"""Largest value of the tag, which stands for itself and anything above."""
_ISO_BEYOND: Final = (
    ExifTags.Base.RecommendedExposureIndex,
    ExifTags.Base.StandardOutputSensitivity,
    ExifTags.Base.ISOSpeed,
)
_UNKNOWN: Final = (-1, 2**32 - 1)
"""Means "not known" as a denominator, or as the numerator of a brightness, signed or not."""


def settings_of(path: Path) -> dict[str, SettingValue]:
    """Return the settings in the EXIF of an image."""
    with Image.open(path) as image:
        exif = image.getexif()
        tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    numbers = {name: _stated(tags, tag) for tag, name in _NUMBERS.items()}
    if numbers["iso"] == _MOST_ISO:
        beyond = (_stated(tags, tag) for tag in _ISO_BEYOND)
        numbers["iso"] = next((iso for iso in beyond if iso), None)
    words = {name: str(tags.get(tag, "")).strip("\0 ") for tag, name in _WORDS.items()}
    return {**agreed(numbers.items()), **{name: word for name, word in words.items() if word}}


def _stated(tags: Mapping[int, Any], tag: int) -> Any:
    """Return the first of several values, as ISO may be stated; None where it is not known."""
    value = tags.get(tag)
    first = value[0] if isinstance(value, tuple) and value else value
    if isinstance(first, TiffImagePlugin.IFDRational):
        telling = first.numerator if tag == ExifTags.Base.BrightnessValue else first.denominator
        return None if telling in _UNKNOWN else first
    return first
