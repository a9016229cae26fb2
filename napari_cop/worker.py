"""Work in a thread other than the window's."""

from __future__ import annotations

from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject, QThreadPool, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker(QObject):
    """Calls a function in a thread; its results are signalled in the thread of the worker.

    Workers of superqt replace Python's handler of warnings. If two run at the same time, one
    restores the other's handler, and every later warning becomes an error.

    Parameters
    ----------
    work : callable
        The values that a generator function yields are signalled.
    *arguments
        Arguments of the function.

    Signals
    -------
    yielded(object), returned(object), errored(Exception)
        Its results, or its error.
    finished
        It has ended, successfully or not.
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
        """Start, and stay alive until all signals have been sent."""
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
        QTimer.singleShot(0, partial(_KEPT.discard, self))  # not while it is signalling


_KEPT: Final[set[Worker]] = set()
