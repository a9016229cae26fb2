"""What is done with a result: a report folder, the command that repeats it, noise maps."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget
from superqt.utils import create_worker

from cop_core.errors import CopError, InputError
from cop_core.report import protocols, repeat_command, write_report
from napari_cop._memory import remember, remembered
from napari_cop._noise_map import add_noise_map

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari.layers import Image
    from napari.viewer import Viewer

    from cop_core.report import Result
    from napari_cop._link import ViewerLink
    from napari_cop._sources import Source


class Results(QObject):
    """The last result, and the ways out of the viewer.

    Parameters
    ----------
    viewer : Viewer
        Gets layers.
    link : ViewerLink
        Knows the layers that were read.
    parent : QWidget
        The widget.

    Signals
    -------
    said(str), failed(Exception)
        How an action went.
    """

    said = Signal(str)
    failed = Signal(object)

    def __init__(self, viewer: Viewer, link: ViewerLink, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer, self._link, self._window = viewer, link, parent
        self.result: Result | None = None
        self.sources: Sequence[Source] = ()
        self.writing = False

    def ask_and_export(self) -> None:
        """Ask for a folder and write the report there."""
        last = str(remembered().get("folder", ""))
        folder = QFileDialog.getExistingDirectory(self._window, "Folder for the report", last)
        if folder:
            self.export_to(folder)
            remember(folder=folder)

    def export_to(self, folder: str) -> None:
        """Write the report into a folder, in the background."""
        if self.result is None or self.writing:
            return
        self.writing = True
        self.said.emit("Writing the report …")
        worker = create_worker(export, self.result, folder, _ignore_errors=True)
        worker.returned.connect(self._written)
        worker.errored.connect(self._not_written)
        worker.start()

    def _written(self, folder: Path) -> None:
        self.writing = False
        self.said.emit(f"Report written to {folder}")

    def _not_written(self, error: Exception) -> None:
        self.writing = False
        self.failed.emit(error)

    def copy_command(self) -> None:
        """Put the command line that repeats the result on the clipboard."""
        if self.result is None:
            return
        try:
            command = repeat_command(self.result, "report")
        except CopError as error:
            self.failed.emit(error)
            return
        QApplication.clipboard().setText(command)
        self.said.emit("Copied: paste it into a terminal")

    def add_noise_maps(self) -> None:
        """Add the strengths of every crop as layers; those over the active stack are shown."""
        if self.result is None:
            return
        active = self._link.protocol or 0
        try:
            for protocol, shown in enumerate(protocols(self.result)):
                layer = self._link.layer(protocol) or self.open_layer(protocol)
                place = self._link.place(protocol)
                add_noise_map(self._viewer, layer, place, shown.profile, visible=protocol == active)
        except CopError as error:
            self.failed.emit(error)

    def show_plane(self, protocol: int, plane: int) -> None:
        """Show a plane in the viewer, opening its stack where no layer shows it."""
        if self._link.layer(protocol) is None:
            if protocol >= len(self.sources):
                self.said.emit("Its planes can be shown when the run has ended")
                return
            try:
                self.open_layer(protocol)
            except CopError as error:
                self.failed.emit(error)
                return
        self._link.go_to(protocol, plane)

    def open_layer(self, protocol: int) -> Image:
        """Add the stack of a protocol as a layer.

        Raises
        ------
        CopError
            Where it can no longer be opened.
        """
        data, arguments, _ = self.sources[protocol].layer_data()
        layer: Image = self._viewer.add_image(data, **arguments)
        self._link.set_layer(protocol, layer)
        return layer


def export(result: Result, folder: str | Path) -> Path:
    """Write report.json, planes.csv and the figures, with the command that repeats them, if any.

    Raises
    ------
    CopError
        Where the folder cannot be written to.
    """
    command: str | None = None
    with suppress(InputError):  # pixels that are in no file cannot be read again
        command = repeat_command(result, folder)
    return write_report(result, folder, command=command)
