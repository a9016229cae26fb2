"""The next acquisition of Micro-Manager in this process."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_cop._live_acquired import AcquisitionFeed
from napari_cop._live_reading import in_window

if TYPE_CHECKING:
    from collections.abc import Generator
    from threading import Event

    from cop_core.stacks import growing


class CoreFeed(AcquisitionFeed):
    """The next acquisition of this process's Micro-Manager core.

    Parameters
    ----------
    **options
        For `MicroManagerSource`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("acquisition")
        self._options = options

    def open(self, stop: Event) -> Generator[Any, None, growing.Source]:
        """Connect to the core, whose objects belong to the window's thread."""
        import_module("pymmcore_plus")  # here, as it takes a second
        return (yield from in_window(self._connect, stop))

    def _connect(self) -> growing.Source:
        from pymmcore_plus import CMMCorePlus

        from cop_core.stacks.growing.micromanager import MicroManagerSource

        self.source = MicroManagerSource(CMMCorePlus.instance(), **self._options)
        return self.source
