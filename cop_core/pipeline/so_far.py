"""Interim verdicts on the planes read so far, computed alongside the reading."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from cop_core.pipeline.events import Means, SoFar
from cop_core.records import DepthProfile
from cop_core.statistics import analyse, forecast, verdict_of_growing

if TYPE_CHECKING:
    from cop_core.reading import StackReader

_LEAST_PLANES: Final = 6
"""Number of planes from which a sentence is worth reading."""
_SHARE: Final = 4
"""Minimum time between two sentences, relative to the time that one takes."""
_LEAST_S: Final = 1.5


class Narrator:
    """Emits an interim verdict now and then while a stack is read; see `Means.so_far`.

    For a growing stack, it is the depth at which its signal will be lost.
    """

    def __init__(self, number: int, name: str, means: Means, *, growing: bool) -> None:
        self._number, self._name, self._means = number, name, means
        self._sentence = _forecast if growing else _verdict
        self._thread = ThreadPoolExecutor(1, "cop-so-far") if means.so_far else None
        self._coming: Future[tuple[SoFar, float]] | None = None
        self._rest_until = 0.0

    def stepped(self, reader: StackReader) -> None:
        """Record the planes so far, if a sentence is due."""
        if self._thread is None:
            return
        if self._coming is not None and self._coming.done():
            so_far, took_s = self._coming.result()
            self._coming = None
            self._rest_until = time.monotonic() + max(_LEAST_S, _SHARE * took_s)
            if so_far.verdict:
                self._means.on_event(so_far)
        if self._coming is not None or time.monotonic() < self._rest_until:
            return
        profile = reader.profile  # its time grows with the planes
        n_planes = sum(plane.n_crops > 0 for plane in profile.planes)
        if n_planes >= _LEAST_PLANES:
            self._coming = self._thread.submit(self._timed, profile, n_planes)

    def _timed(self, profile: DepthProfile, n_planes: int) -> tuple[SoFar, float]:
        begun = time.monotonic()
        found = SoFar(self._number, self._name, n_planes, self._sentence(profile))
        return found, time.monotonic() - begun

    def end(self) -> None:
        """Emit nothing more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)


def _verdict(profile: DepthProfile) -> str:
    return analyse(profile).verdict


def _forecast(profile: DepthProfile) -> str:
    return verdict_of_growing(forecast(profile))
