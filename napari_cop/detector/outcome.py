"""What a movie says of the detector: verdict, caveats, photon transfer, numbers."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from cop_core.report.detector import detector_sentence, detector_table
from napari_cop.answer_page import text_label
from napari_cop.verdict_page import VerdictPage
from napari_cop.words import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from cop_core.records import PhotonTransfer
    from cop_core.report import TextTable


class DetectorOutcome(VerdictPage):
    """The page of a detector."""

    EMPTY: ClassVar = "Choose a movie of something that holds still, and press Run."

    def __init__(self, theme: str) -> None:
        super().__init__(theme)
        self.use = QPushButton("Use in open widgets")
        self.use.setToolTip(
            "Choose the saved file as the detector of every stack in the other open widgets."
        )
        self.use.hide()
        self.table = text_label()
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self._page.insertWidget(1, self.use)
        self._page.insertWidget(self._page.count() - 1, self.table)

    def show_record(self, record: PhotonTransfer) -> None:
        """Show a detector, which is not saved yet."""
        super().show_record(record)
        self.table.setText(_as_html(detector_table(record.name, record.detector)))
        self.use.hide()

    def verdict_of(self, record: PhotonTransfer) -> str:
        """Return what was found, as `cop detector` says it."""
        return detector_sentence(record.detector)

    def remarks_of(self, record: PhotonTransfer) -> Iterator[str]:
        """Yield the caveats."""
        yield from map(sentence, record.notes)

    def figures_of(self, record: PhotonTransfer) -> Iterator[Figure]:
        """Draw the line with its points, and below it what lies off it."""
        from cop_core.report.transfer_figure import transfer_figure

        yield transfer_figure(record, stacked=True)


def _as_html(table: TextTable) -> str:
    """Return a table whose first column wraps, and that is as high as its rows."""
    rows = ((table.head, "th"), *((row, "td") for row in table.rows))
    return f"<table width='100%' cellpadding='3'>{''.join(_row(*row) for row in rows)}</table>"


def _row(cells: Sequence[str], tag: str) -> str:
    first, *others = map(escape, cells)
    numbers = "".join(f"<{tag} align='right'><nobr>{text}</nobr></{tag}>" for text in others)
    return f"<tr><td>{first}</td>{numbers}</tr>"
