"""A ring around the widget with keyboard focus: napari's own style shows none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QApplication, QFocusFrame, QTabBar, QTabWidget, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtCore import QRect
    from qtpy.QtGui import QPaintEvent

RING: Final = QColor("#ff9f1c")
"""Visible on napari's dark and light themes."""
_WIDTH_PX: Final = 2.0
_ROUND_PX: Final = 3.0


class FocusRing(QFocusFrame):
    """Follows the focus among the children of a widget when the Tab key moves it."""

    def __init__(self, owner: QWidget, tabs: QTabWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._by_key = False
        self.hide()  # otherwise it is shown with its owner, around nothing
        QApplication.instance().focusChanged.connect(self._follow)
        tabs.currentChanged.connect(lambda _: self.update())

    def by_key(self, move: Callable[[bool], bool], forwards: bool) -> bool:
        """Move the focus as the Tab key does, and show where it is.

        Qt also moves it in this way if the widget with focus is disabled or hidden, or if a window
        opens in which no widget has it.
        """
        before = QApplication.focusWidget()
        self._by_key = before is not None and before.isEnabled() and before.isVisible()
        try:
            return move(forwards)
        finally:
            self._by_key = False

    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        ours = now is not None and self._by_key and self._owner.isAncestorOf(now)
        self.setWidget(now if ours else None)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Draw the ring; in a row of tabs, around the chosen one."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(RING, _WIDTH_PX))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = _WIDTH_PX / 2
        ring = QRectF(self._around()).adjusted(half, half, -half, -half)
        painter.drawRoundedRect(ring, _ROUND_PX, _ROUND_PX)
        painter.end()

    def _around(self) -> QRect:
        tabs = self.widget()
        if not isinstance(tabs, QTabBar):
            return self.rect()
        rect = tabs.tabRect(tabs.currentIndex())
        return rect.translated(tabs.geometry().topLeft() - self.geometry().topLeft())
