"""Docks of the widgets in napari's window, and napari's notifications over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QVBoxLayout

if TYPE_CHECKING:
    from collections.abc import Collection

    from qtpy.QtWidgets import QWidget

_LEAST_WIDTH_PX: Final = 308
"""Minimum usable width of every widget; a dock of 320 px has room for it."""
_NOTIFICATION: Final = "NapariQtNotification"
"""Class of napari's notifications, which have no public way to close them."""
_OURS: Final = "(napari-cop)"


def lay_out(widget: QWidget, tabs: QWidget, bar: QWidget) -> None:
    """Place the pages of a widget above its bar."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(6, 6, 6, 6)
    layout.addWidget(tabs, 1)
    layout.addWidget(bar)
    widget.setMinimumWidth(_LEAST_WIDTH_PX)


def tab_together(widget: QWidget) -> None:
    """Tab the dock of a widget with those of the plugin's other widgets, once it has one."""
    soon = QTimer(widget, singleShot=True)  # the dock is placed after this
    soon.timeout.connect(lambda: _tab(widget))
    soon.start(0)


def _tab(widget: QWidget) -> None:
    dock = _dock_of(widget)
    window = dock.parent() if dock is not None else None
    if dock is None or not isinstance(window, QMainWindow) or dock.isFloating():
        return
    others = [other for other in _others(dock, window) if not other.isFloating()]
    if others and dock not in window.tabifiedDockWidgets(others[0]):
        window.tabifyDockWidget(others[0], dock)
        dock.raise_()


def other_docks(widget: QWidget) -> list[QDockWidget]:
    """Return the docks of the plugin's other widgets in the same window."""
    dock = _dock_of(widget)
    window = dock.parent() if dock is not None else None
    return _others(dock, window) if isinstance(window, QMainWindow) else []


def _others(dock: QDockWidget | None, window: QMainWindow) -> list[QDockWidget]:
    return [
        other
        for other in window.findChildren(QDockWidget)
        if other is not dock and _OURS in getattr(other, "name", "") and other.isVisibleTo(window)
    ]


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


def close_notifications(said: Collection[str]) -> None:
    """Close napari's notifications of an earlier run, without moving the focus."""
    focus = QApplication.focusWidget()
    for shown in QApplication.allWidgets():
        if type(shown).__name__ == _NOTIFICATION and shown.message.text() in said:
            shown.close()
            if focus is not None:
                focus.setFocus()
