"""Work in a thread beside the window's."""

from __future__ import annotations

from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject, QThreadPool, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker(QObject):
    """Calls a function in a thread; what comes of it is told in the thread of the worker.

    Those of superqt put a handler of warnings of their own in place of Python's. Of two at the same
    time, one leaves behind the other's, and every warning from then on is an error.

    Parameters
    ----------
    work : callable
        A generator function tells what it yields.
    *arguments
        Of the function.

    Signals
    -------
    yielded(object), returned(object), errored(Exception)
        What came of it.
    finished
        It has ended, whether well or not.
    """

    yielded = Signal(object)
    returned = Signal(object)
    errored = Signal(object)
    finished = Signal()

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        super().__init__()
        self._work = partial(work, *arguments)
        self.finished.connect(self._end)

    def start(self) -> None:
        """Begin, and be kept until all has been told."""
        _KEPT.add(self)
        QThreadPool.globalInstance().start(self._run)

    def _run(self) -> None:
        try:
            result = self._work()
            if isinstance(result, GeneratorType):
                for each in result:
                    self.yielded.emit(each)
                result = None
        except Exception as error:
            self.errored.emit(error)
        else:
            self.returned.emit(result)
        self.finished.emit()

    def _end(self) -> None:
        QTimer.singleShot(0, partial(_KEPT.discard, self))  # not while it is telling


_KEPT: Final[set[Worker]] = set()
