"""A cohort from napari: pictures and their settings become a report of what drives the noise."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QEvent, QSize, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QInputDialog,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import create_worker

from cop_core.cohort import Gathered, gather, save_table
from cop_core.errors import CopError
from cop_core.recipes import CohortRecipe, StackOptions
from cop_core.recipes.argv import command_of
from cop_core.report import write_report
from napari_cop.cohort.model import CohortModel
from napari_cop.cohort.outcome import CohortOutcome
from napari_cop.cohort.page import CohortPage
from napari_cop.docking import LEAST_WIDTH_PX, close_notifications, tab_together
from napari_cop.forms.recipe_form import make
from napari_cop.pages import scrolled
from napari_cop.run_bar import RunBar
from napari_cop.runner import Runner, State, tell
from napari_cop.viewer_link import Following

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer

    from cop_core.records import CohortRecord, PictureRecord
    from napari_cop.runner import Outcome

TABLE: Final = "table.csv"
"""The table as it was run, in the folder of the report."""
REPORT: Final = "cohort"
"""Folder for the report, beside the pictures, where not said otherwise."""
_SIZE: Final = QSize(660, 480)


class CohortWidget(QWidget):
    """Dock widget: settings of pictures collected, edited, and held against their noise."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer, self._following = napari_viewer, Following()
        self._notified: list[str] = []
        self._collecting = False
        self.model = CohortModel(self)
        self.bar = RunBar("Run")
        pictures, self.outcome, self.tabs = (
            QWidget(),
            CohortOutcome(napari_viewer.theme),
            QTabWidget(),
        )
        self.page = CohortPage(pictures, self.model, self.bar)
        self.tabs.addTab(scrolled(pictures), "Pictures")
        self.tabs.addTab(self.outcome, "Result")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.bar)
        self.setMinimumWidth(LEAST_WIDTH_PX)
        self.runner = Runner(self)
        self._connect()
        self._offer()
        self.runner.warm_up()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for room for a few columns of settings."""
        return _SIZE

    def _connect(self) -> None:
        page, bar, runner = self.page, self.bar, self.runner
        page.choose_source.clicked.connect(self._ask_for_folder)
        page.choose_table.clicked.connect(self._ask_for_table)
        page.choose_report.clicked.connect(self._ask_for_report)
        page.source.editingFinished.connect(self._source_entered)
        page.report.textChanged.connect(self._offer)
        page.collect.clicked.connect(self.collect)
        page.add.clicked.connect(self._ask_for_setting)
        page.remove.clicked.connect(lambda: self.model.remove(page.selected_rows()))
        bar.run.connect(self.run)
        bar.cancel.connect(runner.stop)
        bar.export.connect(self.open_report)
        bar.copy.connect(self.copy_command)
        runner.state_changed.connect(self._offer)
        runner.progressed.connect(bar.set_progress)
        runner.told.connect(self._told)
        runner.finished.connect(self._finished)
        runner.failed.connect(self._failed)
        self.model.edited.connect(self._offer)
        self._following.on(self._viewer.events.theme, self._theme_changed)
        self.destroyed.connect(self._following.end)
        bar.take_keys(self)

    def event(self, event: QEvent) -> bool:
        """End what is going on when napari takes the widget out of its dock."""
        moved = event.type() == QEvent.Type.ParentChange
        if moved and self.parent() is not None:
            tab_together(self)
        if moved and self.parent() is None and hasattr(self, "runner"):
            self.runner.abandon()
            self._following.end()
            self.deleteLater()
        return super().event(event)

    # --- pictures ---------------------------------------------------------------------------

    def take(self, source: str | Path) -> None:
        """Collect the settings of the pictures of a folder or a CSV."""
        place = Path(source).expanduser().absolute()
        self.page.source.setText(str(place))
        beside = place if place.is_dir() else place.parent
        self.page.report.setText(str(beside.parent / f"{beside.name}-{REPORT}"))
        self.collect()

    def collect(self) -> None:
        """Collect settings in the background; an error is told and leaves the table as it is."""
        source = self.page.source.text().strip()
        if not source or self._collecting or self.runner.state is not State.IDLE:
            return
        with self._telling_errors():
            defaults = make(StackOptions, self.page.defaults)
            names = self.page.names.given(CohortRecipe)
            self._collecting = True
            self._offer()
            self._say(f"Collecting settings in {Path(source).name} …")
            worker = create_worker(partial(gather, source, defaults, **names), _ignore_errors=True)
            worker.returned.connect(self._collected)
            worker.errored.connect(self._not_collected)
            worker.start()

    def _collected(self, found: Gathered) -> None:
        self._collecting = False
        self.model.put(found.pictures)
        n, n_out = len(found.pictures), len(found.left_out)
        left_out = f", {n_out} files whose names do not fit left out" if n_out else ""
        self._say(f"{n} pictures, {len(self.model.settings)} settings{left_out}")

    def _not_collected(self, error: Exception) -> None:
        self._collecting = False
        self._offer()
        self._failed(error)

    def _source_entered(self) -> None:
        text = self.page.source.text().strip()
        if text and not self.model.pictures:
            self.take(text)

    def _ask_for_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder of pictures"):
            self.take(folder)

    def _ask_for_table(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Table of pictures", "", "Tables (*.csv)")
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
        """Read what was not read and look; an error is told and leaves everything idle."""
        if self.runner.state is State.IDLE and self.model.pictures:
            with self._telling_errors():
                close_notifications(self._notified)
                self._notified.clear()
                recipe, directory = self._asked(), self.page.directory()
                write = partial(
                    write_report, directory=directory, command=command_of(recipe, directory)
                )
                self.runner.start(recipe, folder=directory, then=write)

    def copy_command(self) -> None:
        """Put the command line that does the same on the clipboard."""
        with self._telling_errors():
            QApplication.clipboard().setText(command_of(self._asked(), self.page.directory()))
            self._say("Copied: paste it into a terminal")

    def open_report(self) -> None:
        """Show the report in the browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report())))

    def _asked(self) -> CohortRecipe:
        """Return the recipe, with its table written into the folder of the report."""
        table = self.page.directory() / TABLE
        defaults = make(StackOptions, self.page.defaults)
        stated = {"source": str(table), "defaults": defaults, "pictures": self.model.pictures}
        recipe: CohortRecipe = make(CohortRecipe, self.page.options, **stated)
        save_table(self.model.pictures, table)
        return recipe

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
            self._say("Stopped: what was read is kept, Run goes on with the others")
            return
        n_failed = len(found.failed)
        said = f"Done: {len(found.pictures) - n_failed} pictures"
        self._say(f"{said}, {n_failed} failed" if n_failed else said)
        self.outcome.show_record(found)
        self.tabs.setCurrentWidget(self.outcome)

    def _theme_changed(self) -> None:
        self.outcome.set_theme(self._viewer.theme)

    def _failed(self, error: Exception) -> None:
        self._say(f"Failed: {error}")
        self._notified.append(str(error))
        tell(error)

    @contextmanager
    def _telling_errors(self) -> Iterator[None]:
        try:
            yield
        except CopError as error:
            self._failed(error)

    def _say(self, text: str) -> None:
        self.bar.status.setText(text)

    def _offer(self, _: object = None) -> None:
        """Offer what can be done now."""
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
