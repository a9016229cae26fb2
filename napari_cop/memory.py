"""Choices that the widgets remember between sessions."""

from __future__ import annotations

import json
from typing import Any, Final

from cop_core.errors import InputError

PLUGIN: Final = "napari-cop"
_SECTION: Final = "reading"


def remembered() -> dict[str, Any]:
    """Return the last choices by name; empty if nothing is remembered.

    From napari's settings for the plugin, which Preferences shows too, or from Qt's for napari
    before 0.9, which has none for plugins.
    """
    section = _napari_section()
    if section is not None:
        return dict(section.dict())
    text = _qt_settings().value(_SECTION, "{}")
    try:
        found = json.loads(str(text))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def remember(**chosen: Any) -> None:
    """Store the user's choices, or warn if the settings cannot be written.

    Raises
    ------
    InputError
        If the settings do not accept a name or value.
    """
    try:
        _keep(chosen)
    except OSError as error:
        from napari.utils.notifications import show_warning

        show_warning(
            f"The choice will not be remembered: the settings cannot be written ({error})."
        )


def _keep(chosen: dict[str, Any]) -> None:
    section = _napari_section()
    if section is None:
        _qt_settings().setValue(_SECTION, json.dumps({**remembered(), **chosen}))
        return
    for name, value in chosen.items():
        if getattr(section, name) != value:
            try:
                setattr(section, name, value)
            except ValueError as error:
                raise InputError(f"{name} cannot be {value!r}", where="settings") from error


def _napari_section() -> Any | None:
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(PLUGIN), _SECTION)
    except (ImportError, KeyError):
        return None


def _qt_settings() -> Any:
    from qtpy.QtCore import QSettings

    return QSettings(PLUGIN, PLUGIN)
