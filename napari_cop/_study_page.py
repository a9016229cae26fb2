"""The page on which a study is planned: folders, table, choices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, Container
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout
from superqt import QCollapsible

from cop_core.errors import InputError
from cop_core.statistics import Choices
from cop_core.statistics.depth_window import limits_um
from napari_cop._fields import NumberField
from napari_cop._options_form import OptionsForm
from napari_cop._study_run import StudyRequest

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from cop_core.statistics.depth_window import Window
    from napari_cop._run_bar import RunBar
    from napari_cop._study_table import PlanTable


class StudyPage(QVBoxLayout):
    """Where the stacks are, the table, how they are read and compared, and the bar below.

    Parameters
    ----------
    parent : QWidget
        Gets the layout.
    table : PlanTable
        The plan.
    bar : RunBar
        The bottom.
    """

    def __init__(self, parent: QWidget, table: PlanTable, bar: RunBar) -> None:
        super().__init__(parent)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Choose a folder, or drop one here")
        self.folder.setToolTip(
            "The TIFF and zarr stacks in and below it are listed. A plan works too."
        )
        self.choose_folder = QPushButton("Choose …")
        self.study = QLineEdit()
        self.study.setPlaceholderText("Folder for the reports")
        self.study.setToolTip(
            "Gets study.html, the plan, and a folder with the report of each stack. What is "
            "finished there is not read again."
        )
        self.choose_study = QPushButton("Choose …")
        self.remove = QPushButton("Remove rows")
        self.remove.setToolTip("Take the selected stacks out of the plan; their files stay.")
        self.again = QPushButton("Repeat rows")
        self.again.setToolTip("Put the selected stacks in once more, to read another channel.")
        self.save = QPushButton("Save plan …")
        self.save.setToolTip("Write the table as a CSV for spreadsheets and cop batch.")
        self.options = OptionsForm(comparison=True)
        self.from_um = NumberField(
            label="From depth (µm)", tooltip="Shallowest depth that is compared.", empty="the top"
        )
        self.to_um = NumberField(
            label="To depth (µm)", tooltip="Deepest depth that is compared.", empty="the bottom"
        )
        self.margin = NumberField(
            label="Margin (% per 100 µm)",
            tooltip="Slope that counts as none: slopes are tested for being smaller.",
            empty="not tested",
        )
        self.sensitivity = CheckBox(
            text="Read with every normalisation",
            tooltip="The stacks are read three times, and the report says how slopes differ.",
        )
        self._arrange(parent, table, bar)

    def request(self, plan: str) -> StudyRequest:
        """Return what is asked for, with a plan of a name in the folder of the study.

        Raises
        ------
        InputError
            Where something is missing or no number.
        """
        if not self.study.text().strip():
            raise InputError("no folder for the study is chosen", advice="Choose one")
        directory = Path(self.study.text().strip()).expanduser().absolute()
        margin, settings = self.margin.number, self.options.settings
        return StudyRequest(
            directory / plan,
            directory,
            settings,
            self.options.weights_name,
            self.options.device.value,
            Choices(
                self.options.rule.value,
                seed=settings["seed"],
                margin_per_100_um=None if margin is None else margin / 100,
            ),
            self._window_um(),
            self.sensitivity.value,
        )

    def _window_um(self) -> Window | None:
        window = self.from_um.number, self.to_um.number
        if window == (None, None):
            return None
        limits_um(window)
        return window

    def _arrange(self, parent: QWidget, table: PlanTable, bar: RunBar) -> None:
        folders = QGridLayout()
        for row, (title, field, button) in enumerate(
            (
                ("Stacks in", self.folder, self.choose_folder),
                ("Study in", self.study, self.choose_study),
            )
        ):
            for column, widget in enumerate((QLabel(title), field, button)):
                folders.addWidget(widget, row, column)
        below = QHBoxLayout()
        hint = QLabel("What you type goes into all selected cells.")
        hint.setWordWrap(True)
        below.addWidget(hint, 1)
        for button in (self.again, self.remove, self.save):
            below.addWidget(button)
        fields: list[Any] = [self.from_um, self.to_um, self.margin, self.sensitivity]
        compared = Container(widgets=fields, labels=True)
        advanced = QCollapsible("Advanced")
        for form in (compared, self.options):
            form.margins = (0, 0, 0, 0)
            advanced.addWidget(form.native)
        bar.run_button.setToolTip(
            "Read the stacks that are not finished, and compare (Ctrl+Return)."
        )
        bar.cancel_button.setToolTip("Stop; finished stacks are kept, Run goes on (Esc).")
        bar.export_button.setText("Open report")
        bar.export_button.setToolTip("Show study.html in the browser.")
        bar.copy_button.setToolTip("Copy the cop batch that makes the same study without a screen.")
        bar.map_button.hide()
        self.setContentsMargins(6, 6, 6, 6)
        for part, stretch in ((folders, 0), (table, 1), (below, 0)):
            add = self.addWidget if part is table else self.addLayout
            add(part, stretch)
        self.addWidget(advanced)
        self.addWidget(bar)
        parent.setMinimumWidth(440)
