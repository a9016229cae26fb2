"""How a recommendation was made, for its document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cop_core.report.document import excluded_of, plain_json
from cop_core.stacks.files import file_state
from cop_core.statistics.profile import DepthProfile

if TYPE_CHECKING:
    from cop_core.stacks import Stack


def made_of(source: Stack | DepthProfile) -> dict[str, Any]:
    """Return where a stack comes from."""
    if isinstance(source, DepthProfile):
        return {"loaded_with": None, **source.provenance}
    return {
        "source": source.source,
        "opened_with": source.metadata.get("opened_with"),
        "files": file_state(source.source),
    }


def settings_of(
    asked: dict[str, Any], profile: DepthProfile | None, source: Stack | DepthProfile
) -> dict[str, Any]:
    """Return what was asked, with the reading that a profile comes from."""
    reading: dict[str, Any] | None = None
    if profile is not None:
        reading = {
            **profile.settings,
            "excluded": excluded_of(profile),
            "plane_means": profile is source,
        }
    settings: dict[str, Any] = plain_json({**asked, "reading": reading})
    return settings
