"""Actions on a result: a report folder, the command that repeats it, noise maps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from cop_core.errors import CopError
from cop_core.report import noises, write_report
from napari_cop.exporting import export, repeating
from napari_cop.memory import remember, remembered
from napari_cop.noise_map import highest_of, show_noise_map
from napari_cop.processes import PROCESSES
from napari_cop.side_by_side import SideBySide
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari.layers import Image
    from napari.viewer import Viewer

    from cop_core.records import Result
    from napari_cop.exporting import Write
    from napari_cop.sources import ChosenStack
    from napari_cop.viewer_link import ViewerLink


class Export(QObject):
    """Writes reports into folders chosen by the user, one at a time, in the background.

    Parameters
    ----------
    window : QWidget
        Asks for the folder.
    done : str
        Message at the end, with ``{}`` for the folder or file.
    title : str
        Title of the dialogue for the folder.

    Signals
    -------
    said(str), failed(Exception)
        Progress and failure; after either it is no longer `writing`, unless the message is that it
        has begun.
    written(Path)
        A folder or a file.
    """

    said = Signal(str)
    failed = Signal(object)
    written = Signal(object)

    def __init__(
        self,
        window: QWidget,
        done: str = "Report written to {}",
        title: str = "Folder for the report",
    ) -> None:
        super().__init__(window)
        self._window, self._done, self._title = window, done, title
        self.writing = False

    def ask(self, record: Any) -> None:
        """Ask for a folder and write the report of a record to it."""
        last = str(remembered().get("folder", ""))
        folder = QFileDialog.getExistingDirectory(self._window, self._title, last)
        if folder:
            self.write(record, folder)
            remember(folder=folder)

    def write(self, record: Any, target: str, write: Write = write_report) -> None:
        """Write the report of a record, if any, unless another is being written."""
        if record is None or self.writing:
            return
        self.writing = True
        self.said.emit("Writing …")
        worker = Worker(PROCESSES.call, partial(export, record, target, write))
        worker.returned.connect(self._written)
        worker.errored.connect(self._not_written)
        worker.start()

    def _written(self, target: Path) -> None:
        self.writing = False
        self.said.emit(self._done.format(target))
        self.written.emit(target)

    def _not_written(self, error: Exception) -> None:
        self.writing = False
        self.failed.emit(error)


class Results(QObject):
    """The last result, and the actions on it.

    Signals
    -------
    said(str), failed(Exception)
        Outcome of an action.
    """

    said = Signal(str)
    failed = Signal(object)

    def __init__(self, viewer: Viewer, link: ViewerLink, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer, self._link = viewer, link
        self.result: Result | None = None
        self.sources: Sequence[ChosenStack] = ()
        self._beside = SideBySide(viewer, link)
        self.export = Export(parent)
        self.export.said.connect(self.said)
        self.export.failed.connect(self.failed)

    def ask_and_export(self) -> None:
        """Ask for a folder and write the report to it."""
        self.export.ask(self.result)

    def copy_command(self) -> None:
        """Copy the command line that repeats the result to the clipboard."""
        if self.result is None:
            return
        try:
            command = repeating(self.result, "report")
        except CopError as error:
            self.failed.emit(error)
            return
        QApplication.clipboard().setText(command)
        self.said.emit("Copied: paste it into a terminal")

    @property
    def mapped(self) -> list[str]:
        """Noises for which the result has maps."""
        return [] if self.result is None else noises(self.result.analysed[0].profile.components)

    def show_noise_maps(self, component: str) -> None:
        """Show one noise over each stack on one scale; only that over the current stack is visible.

        Side by side, both are visible.
        """
        if self.result is None:
            return
        active, chosen = self._link.protocol or 0, self._viewer.layers.selection.active
        profiles = [each.profile for each in self.result.analysed]
        try:
            highest = highest_of(profiles, component)
            with self._beside.renewed():
                for protocol, profile in enumerate(profiles):
                    layer = self._link.layer(protocol) or self.open_layer(protocol)
                    show_noise_map(
                        self._viewer, layer, self._link.place(protocol), profile, component,
                        highest=highest, visible=protocol == active,
                    )  # fmt: skip
        except CopError as error:
            self.failed.emit(error)
        if chosen in self._viewer.layers:
            self._viewer.layers.selection.active = chosen

    def show_side_by_side(self, shown: bool) -> None:
        """Show both stacks side by side, opening those without a layer, or restore the view."""
        if not shown:
            self._beside.end()
            return
        try:
            for protocol in (0, 1):
                if self._link.layer(protocol) is None:
                    self.open_layer(protocol)
        except CopError as error:
            self.failed.emit(error)
            return
        self._beside.show()
        self._link.suit_shown()

    def show_plane(self, protocol: int, plane: int) -> None:
        """Show a plane in the viewer, opening its stack if no layer shows it."""
        if self._link.layer(protocol) is None:
            if protocol >= len(self.sources):
                self.said.emit("its planes can be shown once the run has ended")
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
            If it can no longer be opened.
        """
        data, arguments, _ = self.sources[protocol].layer_data()
        layer: Image = self._viewer.add_image(data, **arguments)
        self._link.set_layer(protocol, layer)
        return layer
