"""What a study came to: verdict, curves, slopes, stacks that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cop_core.report import parts_of
from cop_core.report.figures import styled
from napari_cop.answer_page import text_label
from napari_cop.pages import scrolled
from napari_cop.plots.theme import DPI, plot_style
from napari_cop.words import unbroken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from qtpy.QtGui import QWheelEvent

    from cop_core.records import ChannelComparison, StudyRecord

_LARGE: Final = 1.25
_LEAST_WIDTH_PX: Final = 280


class StudyOutcome(QWidget):
    """The page of a study's result."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._theme = theme
        self._record: StudyRecord | None = None
        self.headline = text_label(size=_LARGE, bold=True)
        self.rest = text_label()
        self.failures = text_label()
        self.figures: list[_StillCanvas] = []
        page = QWidget()
        self._page = QVBoxLayout(page)
        for text in (self.headline, self.rest, self.failures):
            self._page.addWidget(text)
        self._page.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(page))
        self.headline.setText("Run the study to see its result.")

    def show_record(self, record: StudyRecord) -> None:
        """Show a study."""
        self._record = record
        parts = parts_of(unbroken(record.verdict))
        self.headline.setText(parts.headline or "No two protocols could be compared.")
        self.rest.setText(" ".join(filter(None, (parts.further, parts.next_step))))
        self.failures.setText("\n".join(_failures(record)))
        for text in (self.rest, self.failures):
            text.setVisible(bool(text.text()))
        self._draw(record)

    def set_theme(self, theme: str) -> None:
        """Draw in the colours of another napari theme."""
        self._theme = theme
        if self._record is not None:
            self._draw(self._record)

    def _draw(self, record: StudyRecord) -> None:
        for old in self.figures:
            self._page.removeWidget(old)
            old.deleteLater()
        with styled(plot_style(self._theme)):
            self.figures = [_StillCanvas(figure) for figure in _figures(record)]
        for number, canvas in enumerate(self.figures):
            self._page.insertWidget(3 + number, canvas)


class _StillCanvas(FigureCanvasQTAgg):
    """A figure as high as it was made, as wide as the page, that the wheel scrolls past."""

    def __init__(self, figure: Figure) -> None:
        figure.set_dpi(DPI)
        height = round(DPI * figure.get_figheight())
        super().__init__(figure)
        self.setMinimumSize(_LEAST_WIDTH_PX, height)
        self.setMaximumHeight(height)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave the wheel to the page."""
        event.ignore()


def _figures(record: StudyRecord) -> Iterator[Figure]:
    from cop_core.report.study_figures import curves_figure, slopes_figure

    for each in record.comparisons:
        if _has_curves(each):
            yield slopes_figure(each)
            yield curves_figure(each)


def _has_curves(each: ChannelComparison) -> bool:
    return any(stack.analysed is not None and not stack.left_out for stack in each.stacks)


def _failures(record: StudyRecord) -> Iterator[str]:
    """Yield what could not be read, with the reason."""
    for stack in record.failed:
        reason = (stack.error or "").removeprefix(f"{stack.row.stack.source}: ")
        yield f"Not read: {stack.row.place}: {reason}"
