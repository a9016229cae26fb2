"""A ring around what the keyboard acts on: napari's own style shows none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QApplication, QFocusFrame, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

RING: Final = QColor("#ff9f1c")
"""Seen on napari's dark and light themes alike."""
_WIDTH_PX: Final = 2.0
_ROUND_PX: Final = 3.0


class FocusRing(QFocusFrame):
    """Follows the focus among the children of a widget."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        QApplication.instance().focusChanged.connect(self._follow)

    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        ours = now is not None and now.isVisible() and self._owner.isAncestorOf(now)
        self.setWidget(now if ours else None)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Draw the ring, inside the widget where there is no room around it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(RING, _WIDTH_PX))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = _WIDTH_PX / 2
        ring = QRectF(self.rect()).adjusted(half, half, -half, -half)
        painter.drawRoundedRect(ring, _ROUND_PX, _ROUND_PX)
        painter.end()
