"""A real napari with separate settings, and helpers for its window."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from qtpy.QtCore import QEventLoop, QTimer

if TYPE_CHECKING:
    from napari import Viewer

    from napari_cop.widgets import CompareWidget, ProfileWidget

BEAT_MS = 5
_ALL = 2
"""The generation of a collection of all garbage."""
CONFIG = TemporaryDirectory(prefix="napari-settings-", ignore_cleanup_errors=True)
# Set before napari_cop, which checks it, is imported: the user's settings, including those
# remembered by forms, are neither read nor written.
os.environ["NAPARI_CONFIG"] = str(Path(CONFIG.name, "settings.yaml"))


def open_viewer(theme: str = "dark", size: str = "1280x800") -> Viewer:
    from napari import Viewer
    from napari.settings import get_settings

    get_settings().appearance.theme = theme
    viewer = Viewer(show=True)
    viewer.window._qt_window.resize(*map(int, size.split("x")))
    return viewer


def wait(until: Callable[[], bool], seconds: float = 600.0) -> None:
    """Let Qt work until a condition holds."""
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: until() and loop.quit())
    timer.start(20)
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec_()
    timer.stop()
    if not until():
        sys.exit("gave up waiting")


def pause(seconds: float) -> None:
    """Let Qt work for a while, until everything is drawn."""
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec_()


def show_tab(dock: CompareWidget | ProfileWidget, title: str) -> None:
    tabs = dock.tabs
    tabs.setCurrentIndex([tabs.tabText(i) for i in range(tabs.count())].index(title))


class Heart:
    """Records the gaps between the beats of a timer on the GUI thread.

    Attributes
    ----------
    beats : list of float
        Times in s.
    collections_ms : list of float
        Durations of Python's collections of all garbage, that of napari included.
    """

    def __init__(self) -> None:
        self.beats: list[float] = []
        self.collections_ms: list[float] = []
        self._collecting = 0.0
        self._timer = QTimer()
        self._timer.timeout.connect(lambda: self.beats.append(time.perf_counter()))

    def __enter__(self) -> Heart:
        self._timer.start(BEAT_MS)
        gc.callbacks.append(self._collect)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._collect)
        self._timer.stop()

    def _collect(self, phase: str, found: dict[str, int]) -> None:
        if found["generation"] == _ALL:
            now = time.perf_counter()
            if phase == "stop":
                self.collections_ms.append(1000 * (now - self._collecting))
            self._collecting = now

    def gaps_ms(self) -> list[float]:
        return [1000 * (b - a) for a, b in zip(self.beats, self.beats[1:], strict=False)]
