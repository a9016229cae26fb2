"""Bar with Run, Cancel, progress and the actions on the result: always in sight."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_cop.runner import State
from napari_cop.words import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence


_READY: Final = "Ready"


class RunBar(QWidget):
    """The bottom of the widgets.

    Signals
    -------
    run, cancel, export, copy
        The buttons.
    map(str)
        A noise chosen from the last button's menu.
    """

    run = Signal()
    cancel = Signal()
    export = Signal()
    copy = Signal()
    map = Signal(str)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run_button = _button(title, "Read the noise of every plane (Ctrl+Return).")
        self.cancel_button = _button("Cancel", "Stop and keep what has been read (Esc).")
        self.export_button = _button(
            "Export …", "Write report.json, planes.csv and figures (SVG, PDF, PNG) into a folder."
        )
        self.copy_button = _button(
            "Copy command", "Copy the cop command that gives the same numbers."
        )
        self.map_button = _button(
            "Noise map", "Show the strength of a noise in every crop as a layer over the stack."
        )
        self.map_button.setMenu(QMenu(self.map_button))
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # otherwise every run would resize the plots above
        self.progress.setSizePolicy(policy)
        self.status = QLabel(_READY)
        self._failure = ""
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for button, signal in (
            (self.run_button, self.run),
            (self.cancel_button, self.cancel),
            (self.export_button, self.export),
            (self.copy_button, self.copy),
        ):
            button.clicked.connect(signal)
        self._arrange()
        self.set_state(State.IDLE, has_result=False)

    def take_keys(self, owner: QWidget) -> None:
        """Make Ctrl+Return run and Esc cancel while a widget, or one within it, has the focus."""
        for keys, signal in (("Ctrl+Return", self.run), ("Escape", self.cancel)):
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(signal)

    def offer_maps(self, components: Sequence[str]) -> None:
        """Offer maps of some noises."""
        menu = self.map_button.menu()
        menu.clear()
        for component in components:
            menu.addAction(spoken(component), partial(self.map.emit, component))

    def set_state(self, state: State, *, has_result: bool) -> None:
        """Enable the actions possible in a state."""
        idle = state is State.IDLE
        self.run_button.setEnabled(idle)
        self.cancel_button.setEnabled(state is State.RUNNING)
        for button in (self.export_button, self.copy_button, self.map_button):
            button.setEnabled(idle and has_result)
        if state is State.STOPPING:
            self.status.setText("Stopping …")
        self.progress.setVisible(not idle)

    def tell_failure(self, text: str) -> None:
        """Show why something failed."""
        self._failure = f"Failed: {text}"
        self.status.setText(self._failure)

    def forget_failure(self, _: object = None) -> None:
        """Hide the failure: the new choice may work."""
        if self._failure and self.status.text() == self._failure:
            self.status.setText(_READY)

    def set_progress(self, text: str, done: int, total: int) -> None:
        """Show a text, and steps done of the total; 0 of 0 if not known."""
        self.status.setText(text)
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.status, 0, 0)
        grid.addWidget(self.progress, 1, 0)
        for row, buttons in enumerate(
            (
                (self.run_button, self.cancel_button),
                (self.export_button, self.copy_button, self.map_button),
            )
        ):
            line = QHBoxLayout()
            for button in buttons:
                line.addWidget(button)
            grid.addLayout(line, 2 + row, 0)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button
