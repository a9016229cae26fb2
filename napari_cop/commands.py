"""Commands of napari's menus that are not widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.viewer import Viewer


def export_report(napari_viewer: Viewer) -> None:
    """Export the result of the widget that has one, or report that none has."""
    from napari.utils.notifications import show_warning
    from qtpy.QtWidgets import QApplication

    from napari_cop.dock import NoiseDock

    docks = [w for w in QApplication.allWidgets() if isinstance(w, NoiseDock)]
    docks = [
        dock for dock in docks if dock.viewer == napari_viewer and dock.results.result is not None
    ]
    if not docks:
        show_warning("There is no result yet. Run Noise profile or Compare protocols first.")
        return
    docks[-1].results.ask_and_export()


def three_photon_demo(napari_viewer: Viewer) -> None:
    """Acquire two stacks in the simulated microscope and watch them, or report what is missing."""
    from napari.utils.notifications import show_warning

    from napari_cop.live.feeds import missing_for_acquisitions

    lacking = missing_for_acquisitions()
    if lacking:
        show_warning(f"The demo cannot run: {lacking}")
        return
    _, dock = napari_viewer.window.add_plugin_dock_widget("napari-cop", "Live noise")
    dock.watch_demo()
