"""The pages of the widgets' tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_cop._depth_plots import DepthPlots
    from napari_cop._effect_plots import EffectTable
    from napari_cop._options_form import OptionsForm
    from napari_cop._source_form import SourceForm

_SECONDARY: Final = (("none", "none"), ("power (mW)", "power"), ("mean signal (counts)", "signal"))


class _WheelGuard(QObject):
    """Keeps the mouse wheel from changing fields that are merely scrolled past."""

    def eventFilter(self, field: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() != QEvent.Type.Wheel or field.hasFocus():
            return False
        event.ignore()  # so that the page scrolls
        return True


def input_page(forms: Sequence[tuple[str, SourceForm]], options: OptionsForm) -> QWidget:
    """Return the page on which stacks are chosen; forms come with their titles."""
    page = QWidget()
    layout = QVBoxLayout(page)
    for title, form in forms:
        group = QGroupBox(title)
        QVBoxLayout(group).addWidget(form.native)
        layout.addWidget(group)
    advanced = QCollapsible("Advanced")
    advanced.addWidget(options.native)
    layout.addWidget(advanced)
    layout.addStretch(1)
    guard = _WheelGuard(page)
    for field in (*page.findChildren(QComboBox), *page.findChildren(QAbstractSpinBox)):
        field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        field.installEventFilter(guard)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(page)
    return scroll


def depth_page(plots: DepthPlots) -> QWidget:
    """Return the page of the curves, with the choice of a second axis."""
    second = QComboBox()
    second.setToolTip("What to draw on a second axis of every panel.")
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
    return page


def table_page(table: EffectTable, remarks: QPlainTextEdit) -> QWidget:
    """Return the page of the numbers and of what to know beside them."""
    remarks.setReadOnly(True)
    remarks.setPlaceholderText("What to know beside the numbers appears here.")
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(table, 2)
    layout.addWidget(QLabel("What to know beside the numbers"))
    layout.addWidget(remarks, 3)
    return page
