"""Noise against depth of one stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cop._dock import NoiseDock

if TYPE_CHECKING:
    from napari.viewer import Viewer


class ProfileWidget(NoiseDock):
    """Dock widget: the noise of one stack, plane by plane."""

    arms = ((None, "Z-stack"),)
    run_title = "Run"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
