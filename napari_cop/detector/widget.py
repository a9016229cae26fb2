"""Widget for detectors: from a movie of a static sample to its detector.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from cop_core.detector.history import read_history
from cop_core.recipes import DetectorRecipe
from cop_core.report import write_document
from cop_core.stacks.detector_file import DETECTOR_FILE
from napari_cop.detector.forms import DarkForm, MovieForm
from napari_cop.detector.outcome import DetectorOutcome
from napari_cop.docking import other_docks
from napari_cop.exporting import add_measurement, repeating
from napari_cop.forms.fields import FileChoice
from napari_cop.forms.recipe_form import RecipeForm, make
from napari_cop.memory import remember, remembered
from napari_cop.pages import input_page
from napari_cop.results import Export
from napari_cop.run_bar import RunBar
from napari_cop.run_widget import OutcomeWidget
from napari_cop.runner import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer

    from cop_core.records import PhotonTransfer
    from napari_cop.runner import Outcome
    from napari_cop.sources import ChosenMovie


_SAVED: Final = "Saved to {}: choose it as Detector, under More, to read a stack"


class DetectorWidget(OutcomeWidget):
    """Dock widget: counts per photon, zero level and amplifier noise by photon transfer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        outcome = DetectorOutcome(napari_viewer.theme)
        super().__init__(napari_viewer, RunBar("Run"), outcome)
        self.record: PhotonTransfer | None = None
        self.saved: Path | None = None
        self.movie = MovieForm(napari_viewer, self._following)
        self.dark = DarkForm(napari_viewer, self._following)
        self.options = RecipeForm(DetectorRecipe, only=("offset_counts", "seed"))
        self.save, self.history = Export(self, _SAVED), Export(self, "Added to {}")
        forms = [(form.TITLE, form) for form in (self.movie, self.dark)]
        self._arrange(input_page(forms, self.options), "Input")
        self._explain()
        self._connect()
        self._offer()
        self.movie.suggest()
        self.runner.warm_up()

    def _explain(self) -> None:
        bar = self.bar
        bar.run_button.setToolTip("Measure the detector (Ctrl+Return).")
        bar.cancel_button.setToolTip("Stop without a result (Esc).")
        bar.export_button.setText("Save …")
        bar.export_button.setToolTip(
            "Write detector.json, which other widgets use as the detector of a stack."
        )
        bar.copy_button.setToolTip("Copy the cop detector command that gives the same numbers.")
        bar.map_button.hide()

    def _connect(self) -> None:
        self.runner.state_changed.connect(self._offer)
        self.runner.finished.connect(self._finished)
        for export, written in ((self.save, self._written), (self.history, self._followed)):
            export.said.connect(self._say)
            export.failed.connect(self._failed)
            export.written.connect(written)
        self.outcome.use.clicked.connect(self.use)
        self.outcome.follow.clicked.connect(self.follow)
        self.dark.chosen.changed.connect(self._dark_chosen)
        self._following.on(self.viewer.layers.events.inserted, self.movie.suggest)
        self._connect_run()

    # --- a run ------------------------------------------------------------------------------

    def run(self) -> None:
        """Measure the chosen movie; an error is shown and leaves everything idle."""
        writing = self.save.writing or self.history.writing
        if self.runner.state is State.IDLE and not writing:
            with self._telling_errors():
                self._forget_errors()
                recipe, chosen = self._asked()
                self.runner.start(
                    recipe, lambda *_: [movie and movie.in_memory() for movie in chosen]
                )

    def _asked(self) -> tuple[DetectorRecipe, list[ChosenMovie | None]]:
        movie = self.movie.movie()
        dark = self.dark.movie() if self.dark.used else None
        stated = {"stack": movie.options, "dark": dark and dark.options.source}
        return make(DetectorRecipe, self.options, **stated), [movie, dark]

    def _finished(self, outcome: Outcome) -> None:
        if outcome.stopped:
            self._say("Stopped")
            return
        self.record, self.saved = outcome.record, None
        n, n_dark = self.record.n_frames, self.record.n_dark_frames
        self._say(f"Done: {n} frames" + (f", {n_dark} dark frames" if n_dark else ""))
        self.outcome.show_record(self.record)
        self.tabs.setCurrentWidget(self.outcome)
        self._offer()

    def _offer(self, _: object = None) -> None:
        """Enable the possible actions."""
        self.bar.set_state(self.runner.state, has_result=self.record is not None)

    def _dark_chosen(self) -> None:
        """Ask for the zero level only if dark frames do not measure it."""
        self.options.hide({"offset_counts"} if self.dark.used else ())

    # --- the result -------------------------------------------------------------------------

    def export(self) -> None:
        """Ask for a file, and write the detector to it."""
        start = str(Path(str(remembered().get("folder", "")), DETECTOR_FILE))
        path, _ = QFileDialog.getSaveFileName(self, "Save the detector", start, "JSON (*.json)")
        if path:
            self.save.write(self.record, path, write_document)

    def _written(self, path: Path) -> None:
        self.saved = path
        remember(folder=str(path.parent))
        self.outcome.use.show()

    def follow(self) -> None:
        """Ask for the history of the detector, and add the measurement."""
        path, _ = QFileDialog.getSaveFileName(
            self,
            "History of this detector: an existing table, or a new name",
            str(remembered().get("folder", "")),
            "CSV table (*.csv)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            self.history.write(
                self.record, path if Path(path).suffix else f"{path}.csv", add_measurement
            )

    def _followed(self, path: Path) -> None:
        with self._telling_errors():
            self.outcome.show_history(read_history(path))

    def use(self) -> None:
        """Choose the saved file in the plugin's other open widgets, and report in which."""
        named = []
        for dock in other_docks(self):
            fields = [*_detector_fields(dock)]
            for field in fields:
                field.choose_file(self.saved)
            named += [dock.windowTitle().partition(" (")[0]] * bool(fields)
        where = ", ".join(named)
        self._say(f"Chosen as Detector in {where}" if named else "No other widget is open")

    def copy_command(self) -> None:
        """Copy the command line that gives the same numbers to the clipboard."""
        with self._telling_errors():
            QApplication.clipboard().setText(repeating(self.record, self.saved or DETECTOR_FILE))
            self._say("Copied: paste it into a terminal")


def _detector_fields(dock: QWidget) -> Iterator[FileChoice]:
    """Yield the fields for a detector in a widget's forms."""
    for widget in dock.findChildren(QWidget):
        field = getattr(widget, "_magic_widget", None)
        if isinstance(field, FileChoice) and field.name == "detector":
            yield field
