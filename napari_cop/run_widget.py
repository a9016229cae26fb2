"""Base of the dock widgets that run a recipe: pages over a bar, and errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QTabWidget, QWidget

from cop_core.errors import CopError
from napari_cop.docking import close_notifications, lay_out, tab_together
from napari_cop.focus_ring import FocusRing
from napari_cop.runner import Runner, tell
from napari_cop.viewer_link import Following
from napari_cop.words import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.viewer import Viewer

    from napari_cop.progress import Clock
    from napari_cop.run_bar import RunBar
    from napari_cop.verdict_page import VerdictPage


class RunWidget(QWidget):
    """Pages over the bar that runs their recipe."""

    def __init__(self, viewer: Viewer, bar: RunBar, clock: type[Clock] | None = None) -> None:
        super().__init__()
        self.viewer, self._following = viewer, Following()
        self._notified: list[str] = []
        self.bar, self.tabs = bar, QTabWidget()
        self.runner = Runner(self, clock=clock)
        self._ring = FocusRing(self, self.tabs)

    def _connect_run(self) -> None:
        """Connect the bar, the runner and the theme."""
        bar, runner = self.bar, self.runner
        bar.run.connect(self.run)
        bar.cancel.connect(runner.stop)
        bar.export.connect(self.export)
        bar.copy.connect(self.copy_command)
        runner.progressed.connect(bar.set_progress)
        runner.failed.connect(self._failed)
        self._following.on(self.viewer.events.theme, self._theme_changed)
        self.destroyed.connect(self._following.end)
        bar.take_keys(self)

    def event(self, event: QEvent) -> bool:
        """End activities when napari removes the widget from its dock."""
        moved = event.type() == QEvent.Type.ParentChange
        if moved and self.parent() is not None:
            tab_together(self)
        if moved and self.parent() is None and hasattr(self, "_ring"):
            self.runner.abandon()
            self._following.end()
            self.taken_out()
            self.deleteLater()
        return super().event(event)

    def focusNextPrevChild(self, forwards: bool) -> bool:  # noqa: N802
        """Move the focus as the Tab key does, with a ring around the new place."""
        return self._ring.by_key(super().focusNextPrevChild, forwards)

    def taken_out(self) -> None:
        """Release resources that only some widgets have."""

    def run(self) -> None:
        """Start a run."""
        raise NotImplementedError

    def export(self) -> None:
        """Run the action of the bar's button for the result."""
        raise NotImplementedError

    def copy_command(self) -> None:
        """Copy the command line that does the same to the clipboard."""
        raise NotImplementedError

    def _theme_changed(self) -> None:
        """Follow napari's theme, if something is drawn."""

    def _forget_errors(self) -> None:
        close_notifications(self._notified)
        self._notified.clear()

    def _failed(self, error: Exception) -> None:
        self.bar.tell_failure(said(error))
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        self._notified.append(said(error))
        tell(error)

    @contextmanager
    def _telling_errors(self) -> Iterator[None]:
        try:
            yield
        except CopError as error:
            self._failed(error)

    def _say(self, text: str) -> None:
        self.bar.status.setText(text)


class OutcomeWidget(RunWidget):
    """A page of inputs, and the page of the result.

    Parameters
    ----------
    outcome : VerdictPage
        Of the result.
    """

    def __init__(
        self,
        viewer: Viewer,
        bar: RunBar,
        outcome: VerdictPage,
        clock: type[Clock] | None = None,
    ) -> None:
        super().__init__(viewer, bar, clock)
        self.outcome = outcome

    def _arrange(self, asked: QWidget, title: str) -> None:
        self.tabs.addTab(asked, title)
        self.tabs.addTab(self.outcome, "Result")
        lay_out(self, self.tabs, self.bar)

    def _theme_changed(self) -> None:
        self.outcome.set_theme(self.viewer.theme)
