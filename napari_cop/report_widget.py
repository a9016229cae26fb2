"""Base of the widgets for studies and cohorts: a dock widget that runs many files into a report."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QSize, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QWidget

from cop_core.recipes.argv import command_of
from cop_core.report import write_report
from napari_cop.pages import scrolled
from napari_cop.run_widget import OutcomeWidget

if TYPE_CHECKING:
    from cop_core.recipes import Recipe

_SIZE: Final = QSize(660, 480)


class ReportWidget(OutcomeWidget):
    """A page of files, the page of the result, and the bar that runs them into a report."""

    def _asked(self) -> Recipe:
        """Return the recipe, with its table written into the folder of the report."""
        raise NotImplementedError

    def _directory(self) -> Path:
        """Return the folder of the report."""
        raise NotImplementedError

    def _report(self) -> Path:
        """Return the page of the report."""
        raise NotImplementedError

    def sizeHint(self) -> QSize:  # noqa: N802
        """Request room for a few columns of the table."""
        return _SIZE

    def _arrange(self, asked: QWidget, title: str) -> None:
        super()._arrange(scrolled(asked), title)

    def _start(self, recipe: Recipe, **means: Any) -> None:
        """Run a recipe into its folder, and write the report in the reading process."""
        directory = self._directory()
        command = command_of(recipe, directory)
        write = partial(write_report, directory=directory, command=command)
        self.runner.start(recipe, folder=directory, then=write, **means)

    def copy_command(self) -> None:
        """Copy the command line that does the same to the clipboard."""
        with self._telling_errors():
            QApplication.clipboard().setText(command_of(self._asked(), self._directory()))
            self._say("Copied: paste it into a terminal")

    def export(self) -> None:
        """Show the report in the browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report())))
