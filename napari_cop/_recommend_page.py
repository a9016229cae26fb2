"""The power to use next, from the stack that was read: limit, curve, what to expect, export."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import create_worker

from cop_core.errors import CancelledError, CopError, InputError
from cop_core.power import recommend_power, write_recommendation
from cop_core.report import protocols
from napari_cop._memory import remember, remembered
from napari_cop._recommend_form import RecommendForm
from napari_cop._recommend_plot import PowerPlot
from napari_cop._runner import give_way, tell

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.power import Recommendation
    from cop_core.report import Result
    from napari_cop._results import Results

_PLOT_PX: Final = 520
_NOTES_PX: Final = 120


class RecommendPage(QWidget):
    """Asks for a limit, recommends a power for every depth of the stack read, and exports it.

    Parameters
    ----------
    results : Results
        Where the stack comes from.
    theme : str
        Id of napari's theme.

    Signals
    -------
    recommended(Recommendation), failed(Exception)
        How it went.
    """

    recommended = Signal(object)
    failed = Signal(object)

    def __init__(self, results: Results, *, theme: str) -> None:
        super().__init__()
        self._results = results
        self._stop = Event()
        self._working = False
        self._asked: Result | None = None
        self.found: Recommendation | None = None
        self.form = RecommendForm(results)
        self.of, self.max_power_mw = self.form.of, self.form.max_power_mw
        self.button = QPushButton("Recommend power")
        self.button.setToolTip("From the fall of the signal with depth at the powers stated.")
        self.export_button = QPushButton("Export power …")
        self.export_button.setToolTip(
            "Write power.csv, plan.json (useq-schema), recommendation.json and the figure into a "
            "folder."
        )
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.plot = PowerPlot(theme=theme)
        self.notes = QPlainTextEdit()
        self.notes.setReadOnly(True)
        self.notes.setPlaceholderText("What to know beside the curve appears here.")
        self._arrange()
        self.button.clicked.connect(self.recommend)
        self.export_button.clicked.connect(self.ask_and_export)
        self.renew()

    def renew(self) -> None:
        """Offer the stacks of the last result; what was recommended before is of another."""
        self._stop.set()
        self.found = None
        self.of.reset_choices()
        self.of.visible = len(self.of.choices) > 1
        self.plot.clear()
        self.notes.clear()
        self.status.setText("" if self.of.choices else "Read a stack first.")
        self._offer()

    def recommend(self) -> None:
        """Recommend in the background; errors are told."""
        if self._working or self._results.result is None:
            return
        try:
            work = self._work()
        except CopError as error:
            self._failed(error)
            return
        self._stop = Event()
        self.destroyed.connect(self._stop.set)
        self._asked = self._results.result
        self._begin("Looking at the signal of every plane …")
        worker = create_worker(work, self._stop.is_set, _ignore_errors=True)
        worker.returned.connect(self._found)
        worker.errored.connect(self._failed)
        worker.start()

    def ask_and_export(self) -> None:
        """Ask for a folder and write the recommendation there."""
        last = str(remembered().get("folder", ""))
        folder = QFileDialog.getExistingDirectory(self, "Folder for the recommended power", last)
        if folder:
            self.export_to(folder)

    def export_to(self, folder: str) -> None:
        """Write the recommendation into a folder, in the background."""
        if self.found is None or self._working:
            return
        self._begin("Writing …")
        worker = create_worker(write_recommendation, self.found, folder, _ignore_errors=True)
        worker.returned.connect(self._written)
        worker.errored.connect(self._failed)
        worker.start()

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.button, self.export_button):
            buttons.addWidget(button)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addWidget(self.form.native)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
        layout.addWidget(self.plot, 4)
        layout.addWidget(self.notes, 1)
        self.plot.setMinimumHeight(_PLOT_PX)
        self.notes.setMinimumHeight(_NOTES_PX)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def _work(self) -> Any:
        """Return what recommends, with the choices as they are now."""
        result, number = self._results.result, self.of.value
        if result is None:
            raise InputError("no stack was read", advice="Read one first")
        profile = protocols(result)[number].profile
        return partial(
            _recommend,
            self._results.sources[number],
            profile,
            offset_counts=profile.settings.get("offset_counts"),
            **self.form.choices(),
        )

    def _begin(self, text: str) -> None:
        self._working = True
        self.status.setText(text)
        self._offer()

    def _end(self, text: str) -> None:
        self._working = False
        self.status.setText(text)
        self._offer()

    def _offer(self) -> None:
        self.button.setEnabled(not self._working and bool(self.of.choices))
        self.export_button.setEnabled(not self._working and self.found is not None)

    def _found(self, found: Recommendation) -> None:
        if self._asked is not self._results.result:
            self._end("")
            return
        self.found = found
        remember(max_power_mw=found.limit.max_mw)
        self.plot.show_recommendation(found)
        self.notes.setPlainText("\n\n".join(f"• {note}." for note in found.notes))
        self._end(_summary(found))
        self.recommended.emit(found)

    def _written(self, folder: Path) -> None:
        self._end(f"Written to {folder}")

    def _failed(self, error: Exception) -> None:
        if isinstance(error, CancelledError):
            self._end("")
            return
        self._end(f"Failed: {error}")
        tell(error)
        self.failed.emit(error)


def _recommend(source: Any, profile: Any, cancelled: Any, **choices: Any) -> Recommendation:
    give_way()
    return recommend_power(source.open(), profile=profile, cancelled=cancelled, **choices)


def _summary(found: Recommendation) -> str:
    low, high = found.power_mw.min(), found.power_mw.max()
    lengths = ", ".join(f"{layer.length_um:.0f}" for layer in found.attenuation.layers)
    cap = found.cap_depth_um
    held = "" if cap is None else f"; the limit is reached at {cap:.0f} µm"
    return f"{low:.1f} to {high:.1f} mW; attenuation length {lengths} µm{held}"
