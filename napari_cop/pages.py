"""The pages of the widgets' tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible
from superqt.utils import QFlowLayout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magicgui.widgets import Container

    from napari_cop.forms.recipe_form import RecipeForm
    from napari_cop.forms.source import SourceForm
    from napari_cop.plots.depth import DepthPlots
    from napari_cop.result_table import ResultTable

_SECONDARY: Final = (("none", "none"), ("power", "power"), ("mean signal (counts)", "signal"))


_LEAST_LETTERS: Final = 3
_GAP_PX: Final = 4


class _WheelGuard(QObject):
    """Prevents the mouse wheel from changing fields that are merely scrolled past."""

    def eventFilter(self, field: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() != QEvent.Type.Wheel or field.hasFocus():
            return False
        event.ignore()  # the page scrolls instead
        return True


def input_page(forms: Sequence[tuple[str, SourceForm]], options: RecipeForm) -> QWidget:
    """Return the page of inputs; forms are passed with their titles."""
    page = QWidget()
    layout = QVBoxLayout(page)
    for title, form in forms:
        group = QGroupBox(title)
        inside = QVBoxLayout(group)
        inside.addWidget(form.native)
        if len(form.more):
            inside.addWidget(folded("More", form.more))
        layout.addWidget(group)
    layout.addWidget(folded("Advanced", options))
    layout.addStretch(1)
    return scrolled(page)


def scrolled(page: QWidget) -> QScrollArea:
    """Return a page that scrolls if it does not fit.

    The wheel scrolls it from any position, and changes only fields that were clicked before.
    """
    for box in page.findChildren(QComboBox):  # as narrow as the dock
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(_LEAST_LETTERS)
    guard = _WheelGuard(page)
    for field in (*page.findChildren(QComboBox), *page.findChildren(QAbstractSpinBox)):
        field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        field.installEventFilter(guard)
    area = QScrollArea()
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(page)
    return area


def flowing(*widgets: QWidget) -> QFlowLayout:
    """Return widgets in a line that wraps if it does not fit."""
    line = QFlowLayout()
    line.setHorizontalSpacing(_GAP_PX)
    line.setVerticalSpacing(_GAP_PX)
    for widget in widgets:
        line.addWidget(widget)
    return line


def folded(title: str, *forms: Container[Any]) -> QCollapsible:
    """Return seldom needed forms, folded under a title.

    Folded forms are also hidden: otherwise the keyboard would reach them.
    """
    section = QCollapsible(title, expandedIcon="▾", collapsedIcon="▸")
    for form in forms:
        section.addWidget(form.native)
    section.content().hide()
    section.toggled.connect(section.content().setVisible)
    return section


def depth_page(plots: DepthPlots) -> QWidget:
    """Return the page of the curves, with the choice of a second axis."""
    second = QComboBox()
    second.setToolTip("Quantity on the second axis of each panel.")
    for text, what in _SECONDARY:
        second.addItem(text, what)
    second.currentIndexChanged.connect(lambda: plots.set_secondary(second.currentData()))
    line = QHBoxLayout()
    line.addWidget(QLabel("Second axis:"))
    line.addWidget(second)
    line.addStretch(1)
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addLayout(line)
    layout.addWidget(plots, 1)
    return scrolled(page)


def table_page(table: ResultTable, remarks: QPlainTextEdit) -> QWidget:
    """Return the page of numbers and caveats."""
    remarks.setReadOnly(True)
    remarks.setPlaceholderText("Caveats appear here.")
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(table, 2)
    layout.addWidget(QLabel("Caveats"))
    layout.addWidget(remarks, 3)
    return page
