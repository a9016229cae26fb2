"""What the planes read so far come to, worked out by the core beside the reading."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_cop.runner import give_way

if TYPE_CHECKING:
    from cop_core.records import DepthProfile

_LEAST_PLANES: Final = 6
"""Planes from which a sentence is worth reading."""
_SHARE: Final = 4
"""Least time between two sentences against the time that one takes."""
_LEAST_S: Final = 1.5


class SoFar(QObject):
    """Says what a stack comes to while it is read.

    Signals
    -------
    said(str)
        A sentence that replaces the one before.
    """

    said = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._number = 0
        self._busy = False
        self._rest_until = 0.0

    def begin(self) -> None:
        """Forget the last run; what is being worked out of it is not said any more."""
        self._number += 1
        self._rest_until = 0.0

    def came(self, profile: DepthProfile) -> None:
        """Take note of the planes so far; now and then a sentence comes of them."""
        read = sum(plane.n_crops > 0 for plane in profile.planes)
        if self._busy or read < _LEAST_PLANES or time.monotonic() < self._rest_until:
            return
        self._busy = True
        worker = create_worker(_verdict, profile, self._number, _ignore_errors=True)
        worker.returned.connect(self._found)
        worker.finished.connect(self._rest)
        worker.start()

    def _found(self, found: tuple[int, str, float]) -> None:
        number, sentence, took_s = found
        self._rest_until = time.monotonic() + max(_LEAST_S, _SHARE * took_s)
        if number == self._number:
            self.said.emit(sentence)

    def _rest(self) -> None:
        self._busy = False


def _verdict(profile: DepthProfile, number: int) -> tuple[int, str, float]:
    from cop_core.statistics import analyse  # imports statsmodels, as the run does

    give_way()
    begun = time.monotonic()
    return number, f"So far: {analyse(profile).verdict}", time.monotonic() - begun
