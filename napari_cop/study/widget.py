"""A whole study from napari: a folder becomes a plan, the plan a report."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QEvent, QSize, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QFileDialog, QTabWidget, QVBoxLayout, QWidget

from cop_core.errors import CopError, InputError
from cop_core.recipes import StackOptions, StudyRecipe, WorkersOptions
from cop_core.recipes.argv import command_of
from cop_core.recipes.plan import read_plan, save_plan
from cop_core.report import write_report
from cop_core.stacks import read_power_table
from napari_cop.docking import LEAST_WIDTH_PX, close_notifications, tab_together
from napari_cop.focus_ring import FocusRing
from napari_cop.forms.recipe_form import make
from napari_cop.memory import remembered
from napari_cop.pages import scrolled
from napari_cop.progress import StudyClock
from napari_cop.run_bar import RunBar
from napari_cop.runner import Runner, State, tell
from napari_cop.study.model import KEYS, PlanModel
from napari_cop.study.outcome import StudyOutcome
from napari_cop.study.page import StudyPage
from napari_cop.study.planner import PLAN, Planner
from napari_cop.study.table import PlanTable
from napari_cop.viewer_link import Following

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer
    from qtpy.QtGui import QDragEnterEvent, QDropEvent

    from cop_core.pipeline import Stepped
    from cop_core.records import StudyRecord, StudyStackRecord
    from napari_cop.runner import Outcome


_SIZE: Final = QSize(660, 480)


class StudyWidget(QWidget):
    """Dock widget: the stacks of a folder planned, read and compared as one study."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer, self._following = napari_viewer, Following()
        self._notified: list[str] = []
        self.model = PlanModel(self)
        self.planner = Planner(self.model, self)
        self.table = PlanTable(self.model)
        self.bar = RunBar("Run study")
        plan, self.outcome, self.tabs = QWidget(), StudyOutcome(napari_viewer.theme), QTabWidget()
        self.page = StudyPage(plan, self.table, self.bar)
        self._arrange(plan)
        self.runner = Runner(self, clock=StudyClock)
        self._at = ""
        self.setAcceptDrops(True)
        self._connect()
        self._ring = FocusRing(self)
        self._offer()
        self.runner.warm_up()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for room for most columns of the plan."""
        return _SIZE

    def _arrange(self, plan: QWidget) -> None:
        self.tabs.addTab(scrolled(plan), "Plan")
        self.tabs.addTab(self.outcome, "Result")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.bar)
        self.setMinimumWidth(LEAST_WIDTH_PX)

    def _connect(self) -> None:
        page, bar, runner, planner = self.page, self.bar, self.runner, self.planner
        page.choose_folder.clicked.connect(self.ask_for_folder)
        page.choose_study.clicked.connect(self._ask_for_study)
        page.folder.editingFinished.connect(self._folder_entered)
        page.study.textChanged.connect(self._offer)
        page.remove.clicked.connect(lambda: self.model.remove(self.table.selected_rows()))
        page.again.clicked.connect(lambda: self.model.repeat(self.table.selected_rows()))
        page.save.clicked.connect(self._ask_and_save)
        bar.run.connect(self.run)
        bar.cancel.connect(runner.stop)
        bar.export.connect(self.open_report)
        bar.copy.connect(self.copy_command)
        planner.planned.connect(self._planned)
        planner.looked.connect(self._looked)
        planner.said.connect(self._say)
        planner.failed.connect(self._failed)
        runner.state_changed.connect(self._offer)
        runner.progressed.connect(bar.set_progress)
        runner.stepped.connect(lambda news, _: self._stepped(news))
        runner.told.connect(self._told)
        page.defaults.changed.connect(self._defaults_changed)
        runner.finished.connect(self._finished)
        runner.failed.connect(self._failed)
        self.model.edited.connect(self._edited)
        page.question.answered.connect(self._take_animals)
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

    def focusNextPrevChild(self, forwards: bool) -> bool:  # noqa: N802
        """Move the focus as the Tab key asks, with a ring around where it goes."""
        return self._ring.by_key(super().focusNextPrevChild, forwards)

    # --- the folder -------------------------------------------------------------------------

    def ask_for_folder(self) -> None:
        """Ask for the folder with the stacks."""
        last = self.page.folder.text() or str(remembered().get("study", ""))
        folder = QFileDialog.getExistingDirectory(self, "Folder with the stacks of a study", last)
        if folder:
            self.take(folder)

    def take(self, path: str | Path) -> None:
        """List the stacks below a folder, or the rows of a plan, in the background."""
        if self.runner.state is State.IDLE:
            self.planner.take(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Accept a folder or a plan."""
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Take the folder or plan that is dropped."""
        event.acceptProposedAction()
        self.take(_dropped(event))

    def _folder_entered(self) -> None:
        text = self.page.folder.text().strip()
        if text and Path(text).expanduser().absolute() != self.model.folder:
            self.take(text)

    def _planned(self, folder: Path, study: Path) -> None:
        self.page.folder.setText(str(folder))
        self.page.study.setText(str(study))
        self.page.question.begin()
        self._edited()

    # --- the plan ---------------------------------------------------------------------------

    def _take_animals(self, animals: list[str] | None) -> None:
        """Fill in the animals that the user has confirmed."""
        column = KEYS.index("animal")
        for row, animal in enumerate(animals or ()):
            self.model.setData(self.model.index(row, column), animal)

    def _edited(self) -> None:
        self.page.question.ask(self.model.cells)
        self._offer()
        self._say(self._count())

    def _looked(self) -> None:
        if self.runner.state is State.IDLE:
            self._say(self._count())

    def _count(self) -> str:
        n, wrong = len(self.model.cells), self.model.n_wrong
        text = f"{n} stack{'s' if n != 1 else ''}"
        text += f", {wrong} to be filled in" if wrong else ""
        broken = self.model.n_broken
        return f"{text}, {broken} that cannot be opened" if broken else text

    def _ask_for_study(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Folder for the reports of the study", self.page.study.text()
        )
        if folder:
            self.page.study.setText(folder)

    def _ask_and_save(self) -> None:
        start = str(self.model.folder / PLAN)
        path, _ = QFileDialog.getSaveFileName(self, "Save the plan", start, "Plans (*.csv)")
        if path:
            with self._telling_errors():
                self._save(Path(path))
                self._say(f"Plan written to {path}")

    def _save(self, path: Path) -> None:
        save_plan(self.model.cells, path, self.model.folder)

    # --- a run ------------------------------------------------------------------------------

    def run(self) -> None:
        """Read what is not finished and compare; an error is told and leaves everything idle."""
        if self.runner.state is State.IDLE and self.model.cells:
            with self._telling_errors():
                close_notifications(self._notified)
                self._notified.clear()
                recipe, directory = self._asked(), self.page.directory()
                self.model.check()
                self._at = ""
                command = command_of(recipe, directory)
                write = partial(write_report, directory=directory, command=command)
                workers = make(WorkersOptions, self.page.options)
                self.runner.start(recipe, folder=directory, then=write, workers=workers)

    def copy_command(self) -> None:
        """Put the command line that makes the same study on the clipboard."""
        with self._telling_errors():
            QApplication.clipboard().setText(command_of(self._asked(), self.page.directory()))
            self._say("Copied: paste it into a terminal")

    def open_report(self) -> None:
        """Show the report of the study in the browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report())))

    def _asked(self) -> StudyRecipe:
        """Return the recipe, with its plan written into the folder of the study."""
        if self.model.n_wrong:
            raise InputError(
                f"the plan cannot be used: {self._count()}",
                advice="Fill in what is missing, or remove rows",
            )
        plan, defaults = self.page.directory() / PLAN, make(StackOptions, self.page.defaults)
        stated = {"plan": str(plan), "defaults": defaults}
        make(StudyRecipe, self.page.options, stacks=self.model.rows, **stated)
        self._save(plan)
        rows = read_plan(plan, read_power_table, defaults).stacks
        recipe: StudyRecipe = make(StudyRecipe, self.page.options, stacks=rows, **stated)
        return recipe

    def _report(self) -> Path:
        return Path(self.page.study.text().strip()).expanduser().absolute() / "study.html"

    def _defaults_changed(self) -> None:
        with suppress(CopError):  # while a number is being typed
            self.model.change_defaults(make(StackOptions, self.page.defaults))

    def _stepped(self, news: Stepped) -> None:
        if news.name != self._at:
            self._at = news.name
            self.model.put_state(news.name, "", "reading …")

    def _told(self, news: StudyStackRecord) -> None:
        place = news.row.place
        if news.error:
            error = news.error.removeprefix(f"{news.row.stack.source}: ")
            self.model.put_state(place, "failed", error)
        else:
            self.model.put_state(place, "done", "read before" if news.resumed else "read")

    def _finished(self, outcome: Outcome) -> None:
        self._offer()
        study: StudyRecord | None = outcome.record
        if study is None:
            self._say("Stopped: finished stacks are kept; Run continues with the others")
            return
        before = sum(stack.resumed for stack in study.stacks)
        read = len(study.stacks) - len(study.failed) - before
        counts = {"read": read, "read before": before, "failed": len(study.failed)}
        told = [f"{count} {what}" for what, count in counts.items() if count]
        self._say(f"Done: {', '.join(told)}")
        self.outcome.show_record(study)
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
        state, planned = self.runner.state, bool(self.model.cells)
        idle = state is State.IDLE
        self.model.locked = not idle
        self.bar.set_state(state, has_result=planned)
        self.bar.run_button.setEnabled(idle and planned)
        self.bar.export_button.setEnabled(idle and planned and self._report().is_file())
        page = self.page
        for field in (page.folder, page.study, page.choose_folder, page.choose_study):
            field.setEnabled(idle)
        for button in (page.again, page.remove, page.save):
            button.setEnabled(idle and planned)


def _dropped(event: QDragEnterEvent | QDropEvent) -> str:
    """Return the folder or plan that is dragged; empty for anything else."""
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    good = len(paths) == 1 and (Path(paths[0]).is_dir() or paths[0].lower().endswith(".csv"))
    return paths[0] if good else ""
