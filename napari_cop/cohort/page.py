"""The page for setting up a cohort: folder, names, table, choices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from cop_core.errors import InputError
from cop_core.recipes import CohortRecipe, StackOptions
from napari_cop.forms.recipe_form import RecipeForm
from napari_cop.pages import flowing, folded

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent
    from qtpy.QtWidgets import QWidget

    from napari_cop.cohort.model import CohortModel
    from napari_cop.run_bar import RunBar

_LEAST_HEIGHT_PX = 180


class _PictureTable(QTableView):
    """The table, in which names of images get the width that other columns leave."""

    def __init__(self, model: CohortModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMinimumHeight(_LEAST_HEIGHT_PX)
        for change in (model.modelReset, model.columnsInserted):
            change.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fit the names in."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        header = self.horizontalHeader()
        left = self.viewport().width() - header.length() + self.columnWidth(0)
        self.setColumnWidth(0, max(header.defaultSectionSize(), left))


class CohortPage(QVBoxLayout):
    """The images, their settings, and the options for reading them."""

    def __init__(self, parent: QWidget, model: CohortModel, bar: RunBar) -> None:
        super().__init__(parent)
        self.source = QLineEdit()
        self.source.setPlaceholderText("Folder of images, or a CSV with the column 'file'")
        self.choose_source = QPushButton("Folder …")
        self.choose_table = QPushButton("CSV …")
        self.report = QLineEdit()
        self.report.setPlaceholderText("Folder for the report")
        self.report.setToolTip(
            "cohort.html is written here. Images that were already read are not read again."
        )
        self.choose_report = QPushButton("Choose …")
        self.names = RecipeForm(CohortRecipe, only=("pattern", "reference"))
        self.collect = QPushButton("Collect settings")
        self.collect.setToolTip(
            "List the images with their settings from files, names and the CSV."
        )
        self.table = _PictureTable(model)
        self.add = QPushButton("Add setting …")
        self.remove = QPushButton("Remove rows")
        self.remove.setToolTip("Remove the selected images from the table; their files are kept.")
        without = ("source", "defaults", "pictures", "pattern", "reference")
        self.options = RecipeForm(CohortRecipe, without=without)
        self.defaults = RecipeForm(StackOptions, without=("name",))
        self._arrange(bar)

    def directory(self) -> Path:
        """Return the folder of the report.

        Raises
        ------
        InputError
            If none is chosen.
        """
        text = self.report.text().strip()
        if not text:
            raise InputError("no folder for the report is chosen", advice="Choose one")
        return Path(text).expanduser().absolute()

    def selected_rows(self) -> list[int]:
        """Return the rows with a selected cell."""
        return sorted({index.row() for index in self.table.selectedIndexes()})

    def _arrange(self, bar: RunBar) -> None:
        folders = QGridLayout()
        lines = (
            ("Images in", self.source, self.choose_source, self.choose_table),
            ("Report in", self.report, self.choose_report),
        )
        for row, (title, *widgets) in enumerate(lines):
            for column, widget in enumerate((QLabel(title), *widgets)):
                folders.addWidget(widget, row, column)
        bar.run_button.setToolTip(
            "Read the remaining images and analyse all of them (Ctrl+Return)."
        )
        bar.cancel_button.setToolTip("Stop; what was read is kept, and Run continues (Esc).")
        bar.export_button.setText("Open report")
        bar.export_button.setToolTip("Show cohort.html in the browser.")
        bar.copy_button.setToolTip(
            "Copy the cop cohort command that does the same without a screen."
        )
        bar.map_button.hide()
        self.setContentsMargins(6, 6, 6, 6)
        self.addLayout(folders)
        self.addWidget(folded("File names", self.names))
        self.addLayout(flowing(self.collect, self.add, self.remove))
        self.addWidget(self.table, 1)
        self.addWidget(folded("Stacks", self.defaults))
        self.addWidget(folded("Advanced", self.options))
