"""One run at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from filelock import Timeout

from cop_core.errors import CancelledError
from cop_core.pipeline.events import Means, Working
from cop_core.writing import lock_in

LOCK_FILE: Final = ".cop.lock"
_ASK_S: Final = 0.2
"""Time in s between two checks of a lock that another run holds."""


@contextmanager
def alone_in(means: Means) -> Iterator[None]:
    """Wait for other runs that write to the folder, then keep them out."""
    if means.folder is None:
        yield
        return
    # a folder that cannot be written to is refused now rather than after the first stack
    lock, waits = lock_in(means.folder, LOCK_FILE), False
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_ASK_S)
        except Timeout:
            if means.cancelled():
                raise CancelledError("cancelled", where=str(means.folder)) from None
            if not waits:
                means.on_event(Working("waiting for another run that is writing to the folder"))
            waits = True
    try:
        yield
    finally:
        lock.release()
