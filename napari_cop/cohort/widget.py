"""Widget for cohorts: from images and their settings to a report on what drives the noise."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qtpy.QtWidgets import (
    QFileDialog,
    QInputDialog,
    QWidget,
)

from cop_core.cohort import Gathered, gather, save_table
from cop_core.recipes import CohortRecipe, StackOptions
from napari_cop.cohort.model import CohortModel
from napari_cop.cohort.outcome import CohortOutcome
from napari_cop.cohort.page import CohortPage
from napari_cop.forms.recipe_form import make
from napari_cop.processes import PROCESSES
from napari_cop.report_widget import ReportWidget
from napari_cop.run_bar import RunBar
from napari_cop.runner import State
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from cop_core.records import CohortRecord, PictureRecord
    from napari_cop.runner import Outcome

TABLE: Final = "table.csv"
"""Name of the table as run, in the folder of the report."""
REPORT: Final = "cohort"
"""Default folder for the report, beside the images."""


class CohortWidget(ReportWidget):
    """Dock widget: collect and edit the settings of images, and relate them to the noise."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer, RunBar("Run"), CohortOutcome(napari_viewer.theme))
        self._collecting = False
        self.model = CohortModel(self)
        pictures = QWidget()
        self.page = CohortPage(pictures, self.model, self.bar)
        self._arrange(pictures, "Images")
        self._connect()
        self._offer()
        self._say("Choose a folder of images, or a CSV")
        self.runner.warm_up()

    def _connect(self) -> None:
        page, runner = self.page, self.runner
        page.choose_source.clicked.connect(self._ask_for_folder)
        page.choose_table.clicked.connect(self._ask_for_table)
        page.choose_report.clicked.connect(self._ask_for_report)
        page.source.editingFinished.connect(self._source_entered)
        page.report.textChanged.connect(self._offer)
        page.collect.clicked.connect(self.collect)
        page.add.clicked.connect(self._ask_for_setting)
        page.remove.clicked.connect(lambda: self.model.remove(page.selected_rows()))
        runner.state_changed.connect(self._offer)
        runner.told.connect(self._told)
        runner.finished.connect(self._finished)
        self.model.edited.connect(self._offer)
        self._connect_run()

    # --- images ---------------------------------------------------------------------------

    def take(self, source: str | Path) -> None:
        """Collect the settings of the images of a folder or a CSV."""
        place = Path(source).expanduser().absolute()
        self.page.source.setText(str(place))
        beside = place if place.is_dir() else place.parent
        self.page.report.setText(str(beside.parent / f"{beside.name}-{REPORT}"))
        self.collect()

    def collect(self) -> None:
        """Collect settings in the background; an error is shown and leaves the table unchanged."""
        source = self.page.source.text().strip()
        if not source or self._collecting or self.runner.state is not State.IDLE:
            return
        with self._telling_errors():
            defaults = make(StackOptions, self.page.defaults)
            names = self.page.names.given(CohortRecipe)
            self._collecting = True
            self._offer()
            self._say(f"Collecting settings in {Path(source).name} …")
            worker = Worker(PROCESSES.call, partial(gather, source, defaults, **names))
            worker.returned.connect(self._collected)
            worker.errored.connect(self._not_collected)
            worker.start()

    def _collected(self, found: Gathered) -> None:
        self._collecting = False
        self.model.put(found.pictures)
        n, n_out = len(found.pictures), len(found.left_out)
        left_out = f", {n_out} files whose names do not match left out" if n_out else ""
        not_used = f"; {found.not_used}" if found.not_used else ""
        self._say(f"{n} images, {len(self.model.settings)} settings{left_out}{not_used}")

    def _not_collected(self, error: Exception) -> None:
        self._collecting = False
        self._offer()
        self._failed(error)

    def _source_entered(self) -> None:
        text = self.page.source.text().strip()
        if text and not self.model.pictures:
            self.take(text)

    def _ask_for_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder of images"):
            self.take(folder)

    def _ask_for_table(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Table of images", "", "Tables (*.csv)")
        if file:
            self.take(file)

    def _ask_for_report(self) -> None:
        start = self.page.report.text()
        if folder := QFileDialog.getExistingDirectory(self, "Folder for the report", start):
            self.page.report.setText(folder)

    def _ask_for_setting(self) -> None:
        name, given = QInputDialog.getText(self, "Add a setting", "Name, with its unit: dwell_us")
        if given:
            with self._telling_errors():
                self.model.add_setting(name)

    # --- a run ------------------------------------------------------------------------------

    def run(self) -> None:
        """Read the remaining images and analyse; an error is shown and leaves everything idle."""
        if self.runner.state is State.IDLE and self.model.pictures:
            with self._telling_errors():
                self._forget_errors()
                self._start(self._asked())

    def _asked(self) -> CohortRecipe:
        """Return the recipe, with its table written into the folder of the report."""
        table = self.page.directory() / TABLE
        defaults = make(StackOptions, self.page.defaults)
        stated = {"source": str(table), "defaults": defaults, "pictures": self.model.pictures}
        recipe: CohortRecipe = make(CohortRecipe, self.page.options, **stated)
        save_table(self.model.pictures, table)
        return recipe

    def _directory(self) -> Path:
        return self.page.directory()

    def _report(self) -> Path:
        return Path(self.page.report.text().strip()).expanduser().absolute() / "cohort.html"

    def _told(self, news: PictureRecord) -> None:
        source = news.row.picture.source
        error = news.error.removeprefix(f"{source}: ")
        self.model.put_state(news.row.name, error or ("read before" if news.resumed else "read"))

    def _finished(self, outcome: Outcome) -> None:
        self._offer()
        found: CohortRecord | None = outcome.record
        if found is None:
            self._say("Stopped: what was read is kept; Run continues with the others")
            return
        n_failed = len(found.failed)
        said = f"Done: {len(found.pictures) - n_failed} images"
        self._say(f"{said}, {n_failed} failed" if n_failed else said)
        self.outcome.show_record(found)
        self.tabs.setCurrentWidget(self.outcome)

    def _offer(self, _: object = None) -> None:
        """Enable the possible actions."""
        state, listed = self.runner.state, bool(self.model.pictures)
        idle = state is State.IDLE and not self._collecting
        self.model.locked = not idle
        self.bar.set_state(state, has_result=listed)
        self.bar.run_button.setEnabled(idle and listed)
        self.bar.export_button.setEnabled(idle and listed and self._report().is_file())
        page = self.page
        for field in (page.source, page.report, page.choose_source, page.choose_table,
                      page.choose_report, page.collect):  # fmt: skip
            field.setEnabled(idle)
        for button in (page.add, page.remove):
            button.setEnabled(idle and listed)
