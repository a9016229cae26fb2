"""The page on which a study is planned: folders, table, choices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout

from cop_core.errors import InputError
from cop_core.recipes import StackOptions, StudyRecipe, WorkersOptions
from napari_cop.forms.recipe_form import RecipeForm
from napari_cop.pages import flowing, folded
from napari_cop.study.animals import AnimalQuestion

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_cop.run_bar import RunBar
    from napari_cop.study.table import PlanTable


class StudyPage(QVBoxLayout):
    """The folder, the table, and the options for reading and comparing."""

    def __init__(self, parent: QWidget, table: PlanTable, bar: RunBar) -> None:
        super().__init__(parent)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Choose a folder, or drop one here")
        self.folder.setToolTip(
            "Lists the TIFF and zarr stacks in this folder and below. A plan works too."
        )
        self.choose_folder = QPushButton("Choose …")
        self.study = QLineEdit()
        self.study.setPlaceholderText("Folder for the reports")
        self.study.setToolTip(
            "study.html, the plan and a folder for each stack are written here. Finished "
            "stacks are not read again."
        )
        self.choose_study = QPushButton("Choose …")
        self.remove = QPushButton("Remove rows")
        self.remove.setToolTip("Remove the selected stacks from the plan; their files are kept.")
        self.again = QPushButton("Repeat rows")
        self.again.setToolTip("Duplicate the selected stacks, to read another channel.")
        self.save = QPushButton("Save plan …")
        self.save.setToolTip("Write the table as a CSV for spreadsheets and cop batch.")
        self.question = AnimalQuestion()
        self.options = RecipeForm(StudyRecipe, without=("plan", "defaults", "stacks"))
        self.options.ask(WorkersOptions)
        self.defaults = RecipeForm(StackOptions, without=("name",))
        self._arrange(table, bar)

    def directory(self) -> Path:
        """Return the folder of the study.

        Raises
        ------
        InputError
            If none is chosen.
        """
        text = self.study.text().strip()
        if not text:
            raise InputError("no folder for the study is chosen", advice="Choose one")
        return Path(text).expanduser().absolute()

    def _arrange(self, table: PlanTable, bar: RunBar) -> None:
        folders = QGridLayout()
        for row, (title, field, button) in enumerate(
            (
                ("Stacks in", self.folder, self.choose_folder),
                ("Study in", self.study, self.choose_study),
            )
        ):
            for column, widget in enumerate((QLabel(title), field, button)):
                folders.addWidget(widget, row, column)
        hint = QLabel("What you type goes into all selected cells.")
        hint.setWordWrap(True)
        below = flowing(self.again, self.remove, self.save)
        bar.run_button.setToolTip("Read the remaining stacks and compare (Ctrl+Return).")
        bar.cancel_button.setToolTip("Stop; finished stacks are kept and Run continues (Esc).")
        bar.export_button.setText("Open report")
        bar.export_button.setToolTip("Show study.html in the browser.")
        bar.copy_button.setToolTip(
            "Copy the cop batch command that runs the same study without a screen."
        )
        bar.map_button.hide()
        self.setContentsMargins(6, 6, 6, 6)
        self.addLayout(folders)
        self.addWidget(self.question)
        self.addWidget(table, 1)
        self.addWidget(hint)
        self.addLayout(below)
        opened = folded("Defaults for rows with empty cells", self.defaults)
        advanced = folded("Advanced", self.options)
        for section, other in ((opened, advanced), (advanced, opened)):  # not room for both
            section.toggled.connect(lambda shown, other=other: shown and other.collapse())
            self.addWidget(section)
