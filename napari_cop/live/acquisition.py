"""Acquisitions of Micro-Manager, to be watched and shown."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import finalize

import numpy as np
from superqt.utils import ensure_main_thread

from cop_core.errors import CancelledError, InputError
from cop_core.recipes import StackOptions
from cop_core.stacks.growing import State
from napari_cop.layers import METADATA_KEY, image_layer
from napari_cop.live.feeds import Feed
from napari_cop.loaded_core import core_for
from napari_cop.sources import ChosenStack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from cop_core.power.acquisition_plan import PowerSequence
    from cop_core.stacks import Plane, Stack, growing
    from cop_core.stacks.growing.micromanager import MicroManagerSource
    from napari_cop.layers import LayerData


_T = TypeVar("_T")
_WAIT_S: Final = 0.02
"""Time in s between two checks whether the window has made a call."""


class AcquisitionFeed(Feed):
    """An acquisition as a growing `Source`; kept until it is closed and no layer shows it.

    Attributes
    ----------
    acquired : MicroManagerSource or None
        Connected on opening or, at the latest, on the first request for planes.
    """

    PREPARING = "Connecting …"
    source = "Micro-Manager"
    acquired: MicroManagerSource | None = None
    pixels: GrowingPixels | None = None
    _begun = False

    def connect(self, cancelled: Callable[[], bool]) -> MicroManagerSource:
        """Connect to the core, before anything is acquired."""
        raise NotImplementedError

    def begin(self) -> None:
        """Start the acquisition; do nothing if others acquire."""

    def open(
        self, tell: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> growing.Source | None:
        """Connect at once: frames may arrive while the network is loaded."""
        tell(self.PREPARING)
        self.acquired = self.connect(cancelled)
        return self

    # --- as a source of planes --------------------------------------------------------------

    @property
    def planned(self) -> int | None:
        """Total number of planes."""
        return self.acquired.planned if self.acquired else len(self.depth_um) or None

    @property
    def state(self) -> State:
        """State of the acquisition."""
        return self.acquired.state if self.acquired else State.WAITING

    @property
    def waiting(self) -> int:
        """Number of planes that have arrived but not been delivered."""
        return self.acquired.waiting if self.acquired else 0

    def completed_at(self, index: int) -> float:
        """Return the time at which a plane arrived, in s as of `time.time`."""
        return self._connected().completed_at(index)

    def news(self, limit: int | None = None) -> Sequence[Plane]:
        """Return new planes; the first call starts the acquisition."""
        if self.acquired is None:
            self.acquired = self.connect(lambda: False)
        if not self._begun:
            self._begun = True
            self.begin()
        return self.acquired.news(limit)

    def stack(self) -> Stack:
        """Return the planes that have arrived.

        Raises
        ------
        InputError
            If none has arrived, or they are no longer kept.
        """
        return self._connected().stack()

    def _connected(self) -> MicroManagerSource:
        if self.acquired is None:
            raise InputError(
                "nothing was acquired",
                where=self.name,
                advice="press Watch, then acquire a z-stack",
            )
        return self.acquired

    def close(self) -> None:
        """Release the core, and the planes unless a layer shows them."""
        if self.acquired is not None and self.pixels is None:
            self.acquired.close()
        self.acquired = self.pixels = None

    # --- in the viewer ----------------------------------------------------------------------

    def shown(self) -> ChosenStack:
        """Return the acquired stack."""
        return Acquired(StackOptions(name=self.name), self)

    def layer_data(self, planes: int | None = None) -> LayerData:
        """Describe it as a layer of so many planes, including those to come."""
        stack = self.stack()
        _, arguments, kind = image_layer(stack)
        self.pixels = GrowingPixels(self._connected(), planes or len(stack))
        return self.pixels, arguments, kind


@dataclass(frozen=True)
class Acquired(ChosenStack):
    """An acquisition as a chosen stack; its ``pixels`` are an `AcquisitionFeed`."""

    def open(self) -> Stack:
        """Return the planes that have arrived."""
        stack: Stack = self.pixels.stack()
        return stack

    def layer_data(self) -> LayerData:
        """Describe it as a layer."""
        data: LayerData = self.pixels.layer_data()
        return data


class GrowingPixels:
    """Pixels of an acquisition as an array of its final size; black for planes to come.

    The planes are in a temporary file, which is deleted with this array.
    """

    ndim = 3

    def __init__(self, source: growing.Source, planes: int) -> None:
        stack = source.stack()
        self._source = source
        self.shape = (planes, *stack.shape[1:])
        self.dtype = stack.dtype
        finalize(self, source.close)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Read everything."""
        return np.asarray(self[:], dtype)

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        """Read from one plane or from several."""
        first, *rest = key if isinstance(key, tuple) else (key,)
        wanted = np.arange(self.shape[0])[first]
        planes = np.stack([self._plane(int(i)) for i in np.atleast_1d(wanted)])
        chosen = planes[(slice(None), *rest)]
        return np.asarray(chosen if np.ndim(wanted) else chosen[0])

    def _plane(self, index: int) -> npt.NDArray[Any]:
        stack = self._source.stack()
        if index < len(stack):
            return stack.plane(index).data
        return np.zeros(self.shape[1:], self.dtype)


def state_all(metadata: dict[str, Any], stack: Stack) -> None:
    """Set the depth and power of all planes in a layer that grew."""
    _, arguments, _ = image_layer(stack)
    metadata[METADATA_KEY] = arguments["metadata"][METADATA_KEY]


class CoreFeed(AcquisitionFeed):
    """The next acquisition of this process's Micro-Manager core.

    Parameters
    ----------
    options : StackOptions
        Channel, time point, position, surface and name, and the power if no property states it.
    power_property : tuple of str or None
        Device and property.
    plan : PowerSequence or None
        Acquired as soon as it is watched, and stopped when it no longer is; None if another program
        starts the acquisition.
    """

    def __init__(
        self,
        options: StackOptions,
        power_property: tuple[str, str] | None,
        plan: PowerSequence | None = None,
    ) -> None:
        super().__init__(options.name or "acquisition")
        self._options, self._power_property, self._plan = options, power_property, plan

    def begin(self) -> None:
        """Start the plan, if there is one."""
        if self._plan is not None:
            core_for(self._plan).run_mda(self._plan)

    def ended(self) -> None:
        """Stop the plan if it is still running, and with it the laser."""
        if self._plan is not None and self._begun:
            from pymmcore_plus import CMMCorePlus

            CMMCorePlus.instance().mda.cancel()

    def connect(self, cancelled: Callable[[], bool]) -> MicroManagerSource:
        """Connect to the core, whose objects belong to the thread of the window."""
        import_module("pymmcore_plus")  # imported here, as it takes a second
        return in_window(self._connect, cancelled)

    def _connect(self) -> MicroManagerSource:
        from pymmcore_plus import CMMCorePlus

        from cop_core.stacks.growing.micromanager import MicroManagerSource

        return MicroManagerSource(
            CMMCorePlus.instance(),
            channel=self._options.channel,
            time=self._options.time,
            position=self._options.position,
            surface=self._options.surface,
            power=self._power_property or self._options.power,
            name=self.name,
        )


def in_window(call: Callable[[], _T], cancelled: Callable[[], bool]) -> _T:
    """Make a call in the thread of the window, and return its result or raise its error.

    Raises
    ------
    CancelledError
        If the run is stopped before the call, which is then not made.
    """
    answer: Future[_T] = Future()

    def make() -> None:
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(call())
            except Exception as error:  # raised again in the requesting thread
                answer.set_exception(error)

    ensure_main_thread(make)()
    while not cancelled():
        try:
            return answer.result(_WAIT_S)
        except NotYetError:
            if answer.done():
                raise
    answer.cancel()
    raise CancelledError("stopped")
