"""Progress of a run, in words and steps, and the time left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from cop_core.words import capital

if TYPE_CHECKING:
    from cop_core.pipeline import Opened, Stepped, Working

_SURE_S: Final = 2.0
"""Time in s of reading after which the time left is shown."""
_SURE_OF_STUDY_S: Final = 10.0


class Clock:
    """Progress and time left of the reading of finished stacks."""

    def __init__(self) -> None:
        self._planes: list[int] = []
        self._last = time.monotonic()
        self._looked_s = self._read_s = 0.0
        self._warm = False
        self._read = self._stack = self._whole = 0

    def opened(self, news: Opened) -> None:
        """Record the stacks to be read."""
        self._planes = [len(depths) for depths in news.depth_um]
        self._last = time.monotonic()

    def working(self, news: Working) -> tuple[str, int, int]:
        """Return the activity as one line, steps done and the total."""
        text = capital(news.what)
        text = f"{text}: {news.name}" if news.name else text
        text = f"{text}, {news.done} of {news.total}" if news.total else f"{text} …"
        return text, news.done, news.total

    def stepped(self, news: Stepped) -> tuple[str, int, int]:
        """Return text, steps done and the total."""
        now, step = time.monotonic(), news.step
        took_s, self._last = now - self._last, now
        before = 2 * sum(self._planes[: news.stack])
        done, total = before + step.done, 2 * sum(self._planes)
        planes = self._planes[news.stack]
        if news.stack != self._stack:
            self._stack, self._whole = news.stack, 0
        if step.estimate is None:
            self._looked_s += took_s
            return f"{news.name}: looking through {planes} planes", done, total
        read = step.whole and step.estimate.n_crops > 0
        if self._warm:
            self._read_s += took_s
            self._read += read
        self._warm |= read  # the first block takes longer than any other
        self._whole = min(self._whole + step.whole, planes)
        text = f"{news.name}: plane {self._whole} of {planes}"
        left = 2 * planes - step.done if step.to_read is None else step.to_read
        return text + self._time_left(news.stack, left), done, total

    def _time_left(self, stack: int, planes: int) -> str:
        """Return the time left, if stacks to come have the same share of planes without signal."""
        begun, later = sum(self._planes[: stack + 1]), sum(self._planes[stack + 1 :])
        if self._read_s < _SURE_S or not self._read or not planes + later:
            return ""
        share = min(1.0, (self._read + planes) / begun)
        reading_s = self._read_s / self._read * (planes + share * later)
        seconds = round(reading_s + self._looked_s / begun * later)
        minutes, rest = divmod(seconds, 60)
        return f" · {minutes} min {rest:02d} s left" if minutes else f" · {rest} s left"


class StudyClock(Clock):
    """Progress over all stacks, in hundredths of a stack."""

    def __init__(self) -> None:
        super().__init__()
        self._done = self._total = self._before = 0
        self._begun = time.monotonic()

    def working(self, news: Working) -> tuple[str, int, int]:
        """Return text and steps; the pipeline reports after every stack how many are done."""
        if news.what == "stacks":
            if not self._total:
                self._before, self._begun = news.done, time.monotonic()
            self._done, self._total = news.done, news.total
        return super().working(news)

    def stepped(self, news: Stepped) -> tuple[str, int, int]:
        """Return text, hundredths done and the total."""
        share = news.step.done / news.step.total
        text = f"{news.name}: {share:.0%} · stack {self._done + 1} of {self._total}"
        return text + self._left(share), round(100 * (self._done + share)), 100 * self._total

    def _left(self, share: float) -> str:
        spent, read = time.monotonic() - self._begun, self._done - self._before + share
        if spent < _SURE_OF_STUDY_S or not read:
            return ""
        minutes = round(spent / read * (self._total - self._done - share) / 60)
        if minutes < 1:
            return " · less than a minute left"
        hours, rest = divmod(minutes, 60)
        return f" · {hours} h {rest:02d} min left" if hours else f" · {minutes} min left"
