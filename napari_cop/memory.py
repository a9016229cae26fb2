"""What the widgets remember between sessions."""

from __future__ import annotations

import json
from typing import Any, Final

from cop_core.errors import InputError

PLUGIN: Final = "napari-cop"
_SECTION: Final = "reading"


def remembered() -> dict[str, Any]:
    """Return what was chosen last, by name; empty where nothing is remembered.

    From napari's own settings of the plugin (Preferences shows them too), or from Qt's where
    napari is older than 0.9 and has none for plugins.
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
    """Keep what the user chose, or warn where the settings cannot be written.

    Raises
    ------
    InputError
        For a name or value that the settings do not know.
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
