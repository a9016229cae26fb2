"""Connections to the viewer that end with the widget that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Following:
    """Connections to napari's events, to be ended together.

    The viewer outlives its dock widgets: a callback that is left behind would call into a
    widget that Qt has deleted.
    """

    def __init__(self) -> None:
        self._pairs: list[tuple[Any, Callable[..., Any]]] = []

    def on(self, emitter: Any, callback: Callable[..., Any]) -> None:
        """Call back at every event of an emitter."""
        emitter.connect(callback)
        self._pairs.append((emitter, callback))

    def end(self) -> None:
        """Disconnect everything; harmless when repeated."""
        while self._pairs:
            emitter, callback = self._pairs.pop()
            emitter.disconnect(callback)
