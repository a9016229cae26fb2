"""The page on which a cohort is put together: folder, names, table, choices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from cop_core.errors import InputError
from cop_core.recipes import CohortRecipe, StackOptions
from napari_cop.forms.recipe_form import RecipeForm
from napari_cop.pages import folded

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_cop.cohort.model import CohortModel
    from napari_cop.run_bar import RunBar

_LEAST_HEIGHT_PX = 180


class CohortPage(QVBoxLayout):
    """Where the pictures are, their settings, how they are read."""

    def __init__(self, parent: QWidget, model: CohortModel, bar: RunBar) -> None:
        super().__init__(parent)
        self.source = QLineEdit()
        self.source.setPlaceholderText("Folder of pictures, or a CSV with a column file")
        self.choose_source = QPushButton("Folder …")
        self.choose_table = QPushButton("CSV …")
        self.report = QLineEdit()
        self.report.setPlaceholderText("Folder for the report")
        self.report.setToolTip(
            "cohort.html is written here. Pictures that were already read are not read again."
        )
        self.choose_report = QPushButton("Choose …")
        self.names = RecipeForm(CohortRecipe, only=("pattern", "reference"))
        self.collect = QPushButton("Collect settings")
        self.collect.setToolTip(
            "List the pictures with their settings from files, names and the CSV."
        )
        self.table = QTableView()
        self.table.setModel(model)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setMinimumHeight(_LEAST_HEIGHT_PX)
        self.add = QPushButton("Add setting …")
        self.remove = QPushButton("Remove rows")
        self.remove.setToolTip("Remove the selected pictures from the table; their files stay.")
        without = ("source", "defaults", "pictures", "pattern", "reference")
        self.options = RecipeForm(CohortRecipe, without=without)
        self.defaults = RecipeForm(StackOptions, without=("name",))
        self._arrange(bar)

    def directory(self) -> Path:
        """Return the folder of the report.

        Raises
        ------
        InputError
            Where none is chosen.
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
            ("Pictures in", self.source, self.choose_source, self.choose_table),
            ("Report in", self.report, self.choose_report),
        )
        for row, (title, *widgets) in enumerate(lines):
            for column, widget in enumerate((QLabel(title), *widgets)):
                folders.addWidget(widget, row, column)
        below = QHBoxLayout()
        below.addWidget(self.collect)
        below.addStretch(1)
        below.addWidget(self.add)
        below.addWidget(self.remove)
        bar.run_button.setToolTip(
            "Read the remaining pictures and analyse all of them (Ctrl+Return)."
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
        self.addLayout(below)
        self.addWidget(self.table, 1)
        self.addWidget(folded("Stacks", self.defaults))
        self.addWidget(folded("Advanced", self.options))
