"""The page of a result with a verdict: sentences, what failed, figures below each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from qtpy.QtWidgets import QVBoxLayout, QWidget

from cop_core.recipes.terms import untyped
from cop_core.report import parts_of
from cop_core.report.figures import styled
from napari_cop.answer_page import text_label
from napari_cop.pages import scrolled
from napari_cop.plots.canvas import PageCanvas
from napari_cop.plots.theme import DPI, plot_style
from napari_cop.words import unbroken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

_LARGE: Final = 1.25
_LEAST_WIDTH_PX: Final = 256


class VerdictPage(QWidget):
    """Shows records with a verdict; a subclass lists failures, and draws."""

    EMPTY: ClassVar[str]
    """Advice while there is no record."""
    NO_VERDICT: ClassVar[str] = ""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._theme = theme
        self._record: Any = None
        self.headline = text_label(size=_LARGE, bold=True)
        self.rest = text_label()
        self.remarks = text_label()
        self.figures: list[_StillCanvas] = []
        page = QWidget()
        self._page = QVBoxLayout(page)
        for text in (self.headline, self.rest, self.remarks):
            self._page.addWidget(text)
        self._page.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(page))
        self.headline.setText(self.EMPTY)

    def show_record(self, record: Any) -> None:
        """Show a record."""
        self._record = record
        parts = parts_of(unbroken(untyped(self.verdict_of(record))))
        self.headline.setText(parts.headline or self.NO_VERDICT)
        self.rest.setText(" ".join(filter(None, (parts.further, parts.next_step))))
        self.remarks.setText("\n".join(self.remarks_of(record)))
        for text in (self.rest, self.remarks):
            text.setVisible(bool(text.text()))
        self._draw()

    def set_theme(self, theme: str) -> None:
        """Draw in the colours of another napari theme."""
        self._theme = theme
        if self._record is not None:
            self._draw()

    def verdict_of(self, record: Any) -> str:
        """Return the answer in sentences."""
        return str(record.verdict)

    def remarks_of(self, record: Any) -> Iterator[str]:
        """Yield remarks on the verdict, one per line."""
        raise NotImplementedError

    def figures_of(self, record: Any) -> Iterator[Figure]:
        """Yield the figures, drawn in the current style."""
        raise NotImplementedError

    def _draw(self) -> None:
        for old in self.figures:
            self._page.removeWidget(old)
            old.deleteLater()
        with styled(plot_style(self._theme)):
            self.figures = [_StillCanvas(figure) for figure in self.figures_of(self._record)]
        below = self._page.indexOf(self.remarks) + 1
        for number, canvas in enumerate(self.figures):
            self._page.insertWidget(below + number, canvas)


class _StillCanvas(PageCanvas):
    """A figure of its own height, as wide as the page."""

    def __init__(self, figure: Figure) -> None:
        figure.set_dpi(DPI)
        height = round(DPI * figure.get_figheight())
        super().__init__(figure)
        self.setMinimumSize(_LEAST_WIDTH_PX, height)
        self.setMaximumHeight(height)
