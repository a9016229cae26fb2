"""State of an acquisition: planes, latency, planes waiting and crops put off."""

from __future__ import annotations

import math
import time
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

if TYPE_CHECKING:
    from cop_core.pipeline import Stepped

_CAPTIONS: Final = {
    "state": ("State", "Progress of the acquisition, judged by the planes that have arrived."),
    "planes": ("Planes", "Planes on the curves so far, out of those planned."),
    "latency": (
        "Latency",
        "Time from a complete plane to its point on the screen (median of the last planes).",
    ),
    "waiting": ("Waiting", "Complete planes that are not on the curves yet."),
    "put_off": (
        "Deferred",
        "Crops of shown planes that will be read when the acquisition leaves time. No plane is "
        "skipped.",
    ),
}
_RECENT: Final = 15
_NOTHING: Final = "–"


class LivePanel(QWidget):
    """The state of an acquisition, and a row of figures on it.

    Attributes
    ----------
    latencies_s : deque of float
        Latencies of the last planes: time in s from a complete plane to its point on the screen.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        self._values: dict[str, QLabel] = {}
        for number, (name, (caption, tip)) in enumerate(_CAPTIONS.items()):
            title, value = QLabel(caption), QLabel(_NOTHING)
            for label in (title, value):
                label.setToolTip(tip)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
            title.setEnabled(False)  # in the theme's dim colour
            if number:
                grid.addWidget(title, 1, number - 1)
                grid.addWidget(value, 2, number - 1)
            else:  # it is too long for a column
                grid.addWidget(title, 0, 0)
                grid.addWidget(value, 0, 1, 1, -1)
            self._values[name] = value
        self._undrawn: dict[tuple[int, int], tuple[float, float]] = {}
        self._drawn: set[tuple[int, int]] = set()
        self.latencies_s: deque[float] = deque(maxlen=_RECENT)

    def clear(self) -> None:
        """Clear the last acquisition."""
        self._undrawn.clear()
        self._drawn.clear()
        self.latencies_s.clear()
        for value in self._values.values():
            value.setText(_NOTHING)

    def text(self, name: str) -> str:
        """Return the text of ``state``, ``planes``, ``latency``, ``waiting`` or ``put_off``."""
        return str(self._values[name].text())

    @property
    def latency_s(self) -> float | None:
        """Median time in s from a complete plane to its point on the screen; None without any."""
        return median(self.latencies_s) if self.latencies_s else None

    def expect(self, news: Stepped, told_at: float) -> None:
        """Record when a plane was complete whose point is still to be drawn."""
        step = news.step
        if step.estimate is None or math.isnan(step.latency_s):
            return
        plane = news.stack, step.estimate.index
        if plane not in self._drawn:
            self._undrawn.setdefault(plane, (told_at - step.latency_s, time.time()))

    def drawn(self, until: float) -> None:
        """Record that the planes expected until a time are on the screen."""
        now = time.time()
        for plane, (completed_at, expected_at) in tuple(self._undrawn.items()):
            if expected_at <= until:
                self.latencies_s.append(now - completed_at)
                self._drawn.add(plane)
                del self._undrawn[plane]

    def show_stopped(self) -> None:
        """Show that it is no longer watched."""
        self._values["state"].setText("stopped")

    def show_news(self, news: Stepped, planes: int) -> None:
        """Show the state of the acquisition, and how many planes were begun."""
        planned = f" of {news.planned}" if news.planned else ""
        latency_s = self.latency_s
        texts = {
            "state": news.step.state.value,
            "planes": f"{planes}{planned}",
            "latency": _NOTHING if latency_s is None else _seconds(latency_s),
            "waiting": str(news.step.planes_waiting or "none"),
            "put_off": f"{news.step.crops_put_off} crops" if news.step.crops_put_off else "none",
        }
        for name, text in texts.items():
            self._values[name].setText(text)


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
