"""What the planes read so far come to, worked out beside the reading."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from cop_core.pipeline.events import Means, SoFar
from cop_core.records import DepthProfile
from cop_core.statistics import analyse, forecast, verdict_of_growing

_LEAST_PLANES: Final = 6
"""Planes from which a sentence is worth reading."""
_SHARE: Final = 4
"""Least time between two sentences against the time that one takes."""
_LEAST_S: Final = 1.5


class Narrator:
    """Tells now and then what a stack comes to while it is read; see `Means.so_far`.

    Of a stack that grows, that is where its signal will be lost.
    """

    def __init__(self, number: int, name: str, means: Means, *, growing: bool) -> None:
        self._number, self._name, self._means = number, name, means
        self._sentence = _forecast if growing else _verdict
        self._thread = ThreadPoolExecutor(1, "cop-so-far") if means.so_far else None
        self._coming: Future[tuple[str, float]] | None = None
        self._rest_until = 0.0

    def stepped(self, profile: DepthProfile) -> None:
        """Take note of the planes so far."""
        if self._thread is None:
            return
        if self._coming is not None and self._coming.done():
            verdict, took_s = self._coming.result()
            self._coming = None
            self._rest_until = time.monotonic() + max(_LEAST_S, _SHARE * took_s)
            if verdict:
                self._means.on_event(SoFar(self._number, self._name, verdict))
        due = self._coming is None and time.monotonic() >= self._rest_until
        if due and sum(plane.n_crops > 0 for plane in profile.planes) >= _LEAST_PLANES:
            self._coming = self._thread.submit(_timed, self._sentence, profile)

    def end(self) -> None:
        """Tell nothing more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)


def _timed(sentence: Callable[[DepthProfile], str], profile: DepthProfile) -> tuple[str, float]:
    begun = time.monotonic()
    return sentence(profile), time.monotonic() - begun


def _verdict(profile: DepthProfile) -> str:
    return analyse(profile).verdict


def _forecast(profile: DepthProfile) -> str:
    return verdict_of_growing(forecast(profile))
