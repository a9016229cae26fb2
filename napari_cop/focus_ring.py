"""A ring around what the keyboard acts on: napari's own style shows none."""

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
"""Seen on napari's dark and light themes alike."""
_WIDTH_PX: Final = 2.0
_ROUND_PX: Final = 3.0


class FocusRing(QFocusFrame):
    """Follows the focus among the children of a widget, where the Tab key moves it."""

    def __init__(self, owner: QWidget, tabs: QTabWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._by_key = False
        self.hide()  # else it is shown with its owner, around nothing
        QApplication.instance().focusChanged.connect(self._follow)
        tabs.currentChanged.connect(lambda _: self.update())

    def by_key(self, move: Callable[[bool], bool], forwards: bool) -> bool:
        """Move the focus as the Tab key does, and show where it went.

        Qt moves it in this way too where what has the focus is disabled or hidden, and where a
        window comes up in which nothing has it.
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
        """Draw the ring, of a row of tabs around the one that is chosen."""
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
