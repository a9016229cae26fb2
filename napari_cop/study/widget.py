"""Widget for studies: from a folder to a plan, from the plan to a report."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QWidget

from cop_core.errors import CopError, InputError
from cop_core.recipes import StackOptions, StudyRecipe, WorkersOptions
from cop_core.recipes.plan import doubtful_arms, read_plan, save_plan
from cop_core.stacks import read_power_table
from cop_core.words import capital
from napari_cop.forms.recipe_form import make
from napari_cop.memory import remembered
from napari_cop.progress import StudyClock
from napari_cop.report_widget import ReportWidget
from napari_cop.run_bar import RunBar
from napari_cop.runner import State
from napari_cop.study.model import KEYS, PlanModel
from napari_cop.study.outcome import StudyOutcome
from napari_cop.study.page import StudyPage
from napari_cop.study.planner import PLAN, Planner
from napari_cop.study.table import PlanTable

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QDragEnterEvent, QDropEvent

    from cop_core.pipeline import Stepped
    from cop_core.records import StudyRecord, StudyStackRecord
    from napari_cop.runner import Outcome


class StudyWidget(ReportWidget):
    """Dock widget: plan, read and compare the stacks of a folder as one study."""

    def __init__(self, napari_viewer: Viewer) -> None:
        outcome = StudyOutcome(napari_viewer.theme)
        super().__init__(napari_viewer, RunBar("Run study"), outcome, StudyClock)
        self.model = PlanModel(self)
        self.planner = Planner(self.model, self)
        self.table = PlanTable(self.model)
        plan = QWidget()
        self.page = StudyPage(plan, self.table, self.bar)
        self._arrange(plan, "Plan")
        self._at = ""
        self.setAcceptDrops(True)
        self._connect()
        self._offer()
        self._say(self._count())
        self.runner.warm_up()

    def _connect(self) -> None:
        page, runner, planner = self.page, self.runner, self.planner
        page.choose_folder.clicked.connect(self.ask_for_folder)
        page.choose_study.clicked.connect(self._ask_for_study)
        page.folder.editingFinished.connect(self._folder_entered)
        page.study.textChanged.connect(self._offer)
        page.remove.clicked.connect(lambda: self.model.remove(self.table.selected_rows()))
        page.again.clicked.connect(lambda: self.model.repeat(self.table.selected_rows()))
        page.save.clicked.connect(self._ask_and_save)
        planner.planned.connect(self._planned)
        planner.looked.connect(self._looked)
        planner.said.connect(self._say)
        planner.failed.connect(self._failed)
        runner.state_changed.connect(self._offer)
        runner.stepped.connect(lambda news, _: self._stepped(news))
        runner.told.connect(self._told)
        page.defaults.changed.connect(self._defaults_changed)
        runner.finished.connect(self._finished)
        self.model.edited.connect(self._edited)
        page.question.answered.connect(self._take_animals)
        self._connect_run()

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
        """Take a dropped folder or plan."""
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
        if not n:
            return "Choose the folder with the stacks, or a plan"
        text = f"{n} stack{'s' if n != 1 else ''}"
        text += f", {wrong} to be filled in" if wrong else ""
        broken = self.model.n_broken
        text = f"{text}, {broken} that cannot be opened" if broken else text
        return ". ".join([text, *map(capital, doubtful_arms(self.model.rows))])

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
        """Read unfinished stacks and compare; an error is shown and leaves everything idle."""
        if self.runner.state is State.IDLE and self.model.cells:
            with self._telling_errors():
                self._forget_errors()
                recipe = self._asked()
                self.model.check()
                self._at = ""
                self._start(recipe, workers=make(WorkersOptions, self.page.options))

    def _asked(self) -> StudyRecipe:
        """Return the recipe, with its plan written into the folder of the study."""
        if self.model.n_wrong:
            raise InputError(
                f"the plan cannot be used: {self._count()}",
                advice="Fill in what is missing, or remove rows",
            )
        if self.page.question.open:
            raise InputError(
                "it is not known which animal each stack is from",
                advice="Answer the question above the table: stacks of one animal are not "
                "independent",
            )
        plan, defaults = self.page.directory() / PLAN, make(StackOptions, self.page.defaults)
        stated = {"plan": str(plan), "defaults": defaults}
        make(StudyRecipe, self.page.options, stacks=self.model.rows, **stated)
        self._save(plan)
        rows = read_plan(plan, read_power_table, defaults).stacks
        recipe: StudyRecipe = make(StudyRecipe, self.page.options, stacks=rows, **stated)
        return recipe

    def _directory(self) -> Path:
        return self.page.directory()

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

    def _offer(self, _: object = None) -> None:
        """Enable the possible actions."""
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
