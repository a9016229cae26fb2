"""The settings stated in a file, whatever wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cop_core.cohort.metadata import exif, microscopes, ome
from cop_core.stacks.image_file import is_image

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.recipes import SettingValue

_MICROSCOPES: Final = (
    microscopes.of_prairie,
    microscopes.of_thorimage,
    microscopes.of_micromanager,
    microscopes.of_scanimage,
    ome.settings_of,
)


def settings_of(path: Path) -> dict[str, SettingValue]:
    """Return the settings in a file, by names that end with their units.

    A file that cannot be read states nothing; the error is reported when its pixels are read.
    """
    if is_image(path):
        return _or_nothing(exif.settings_of, path)
    found: dict[str, SettingValue] = {}
    for read in _MICROSCOPES:
        found = {**_or_nothing(read, path), **found}
    return found or _or_nothing(exif.settings_of, path)


def _or_nothing(read: exif.ReadSettings, path: Path) -> dict[str, SettingValue]:
    try:
        return read(path)
    except Exception:  # headers are damaged in many ways; reading the image reports how
        return {}
