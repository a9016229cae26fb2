"""The result for a detector: verdict, caveats, photon transfer, numbers."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from cop_core.detector.history import drift_sentences
from cop_core.report.detector import detector_sentence, detector_table
from napari_cop.answer_page import text_label
from napari_cop.verdict_page import VerdictPage
from napari_cop.words import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from cop_core.detector.history import Measurement
    from cop_core.records import PhotonTransfer
    from cop_core.report import TextTable


class DetectorOutcome(VerdictPage):
    """The page of a detector."""

    EMPTY: ClassVar = "Choose a movie of a static sample and press Run."

    def __init__(self, theme: str) -> None:
        super().__init__(theme)
        self._history: Sequence[Measurement] = ()
        self.use = QPushButton("Use in open widgets")
        self.use.setToolTip(
            "Choose the saved file as the detector of every stack in the other open widgets."
        )
        self.use.hide()
        self.follow = QPushButton("Add to a history …")
        self.follow.setToolTip(
            "Add this measurement to a CSV table, and see whether the detector has drifted."
        )
        self.follow.hide()
        self.table = text_label()
        self.table.setTextFormat(Qt.TextFormat.RichText)
        for button in (self.follow, self.use):
            self._page.insertWidget(1, button)
        self._page.insertWidget(self._page.count() - 1, self.table)

    def show_record(self, record: PhotonTransfer) -> None:
        """Show a detector that is neither saved nor in a history yet."""
        self._history = ()
        super().show_record(record)
        self.table.setText(_as_html(detector_table(record.name, record.detector)))
        self.use.hide()
        self.follow.show()

    def show_history(self, history: Sequence[Measurement]) -> None:
        """Show earlier measurements of this detector."""
        self._history = history
        super().show_record(self._record)

    def verdict_of(self, record: PhotonTransfer) -> str:
        """Return the result in the words of `cop detector`."""
        return detector_sentence(record.detector)

    def remarks_of(self, record: PhotonTransfer) -> Iterator[str]:
        """Yield drifts and caveats."""
        if self._history:
            yield from (f"History: {said}." for said in drift_sentences(self._history))
        yield from map(sentence, record.notes)

    def figures_of(self, record: PhotonTransfer) -> Iterator[Figure]:
        """Draw the history, if any; the line with its points, and their residuals below."""
        from cop_core.report.detector_history import history_figure
        from cop_core.report.transfer_figure import transfer_figure

        if self._history:
            yield history_figure(self._history, stacked=True)
        yield transfer_figure(record, stacked=True)


def _as_html(table: TextTable) -> str:
    """Return a table with a first column that wraps and the height of its rows."""
    rows = ((table.head, "th"), *((row, "td") for row in table.rows))
    return f"<table width='100%' cellpadding='3'>{''.join(_row(*row) for row in rows)}</table>"


def _row(cells: Sequence[str], tag: str) -> str:
    first, *others = map(escape, cells)
    numbers = "".join(f"<{tag} align='right'><nobr>{text}</nobr></{tag}>" for text in others)
    return f"<tr><td>{first}</td>{numbers}</tr>"
