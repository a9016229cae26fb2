"""The part of a Micro-Manager source that runs in the acquiring thread."""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cop_core.errors import CopError, InputError
from cop_core.records import State
from cop_core.stacks.growing.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt
    from pymmcore_plus import CMMCorePlus
    from useq import MDAEvent, MDASequence

_NAMES: Final = {"c": "channel", "t": "time", "p": "position"}


@dataclass(frozen=True)
class FrameChoice:
    """One channel, time point and position, by index or name; required if there are several."""

    channel: int | str | None = None
    time: int | None = None
    position: int | None = None

    def takes(self, event: MDAEvent, met: dict[str, int]) -> bool:
        """Return whether a frame belongs to the stack.

        This updates `met`, the index met so far along every axis without a choice. Raises
        InputError at a second index along such an axis.
        """
        named = event.channel.config if event.channel else None
        for axis, index in event.index.items():
            if axis == "z":
                continue
            wanted = getattr(self, _NAMES.get(axis, ""), None)
            if wanted is None:
                _require_one(axis, index, met)
            elif wanted != (named if isinstance(wanted, str) else index):
                return False
        return True

    def __str__(self) -> str:
        """Return the choice in words."""
        chosen = {name: getattr(self, name) for name in _NAMES.values()}
        return ", ".join(f"{name} {value}" for name, value in chosen.items() if value is not None)


def _require_one(axis: str, index: int, met: dict[str, int]) -> None:
    if met.setdefault(axis, index) == index:
        return
    name = _NAMES.get(axis)
    raise InputError(
        f"the acquisition has more than one {name or f'index along {axis}'}",
        where="acquisition",
        advice=f"choose with {name}=" if name else "acquire them one after the other",
    )


class Frame(NamedTuple):
    """Stage position of a frame in µm, power in mW (or NaN), and time of arrival (`time.time`)."""

    z_um: float
    power_mw: float
    clock_s: float


class FrameRecorder:
    """Copies the chosen frames of one acquisition into a spool, and does nothing else.

    It raises nothing, since watching must not disturb an acquisition: an error is kept as
    `failure`, and further frames are ignored. `power` names the device and property with the power
    in mW.

    Attributes
    ----------
    sequence : MDASequence or None
        The plan, set at the start.
    pixel_um : float
        Side of a pixel; 0 if the core does not know it.
    frames : list of Frame
        One entry per plane of the spool, or one more while a plane is being written.
    spool : Spool or None
        The planes, set at the first frame.
    ended : State or None
        How the acquisition ended: complete, or stopped by a cancel or an error.
    failure : CopError or None
        Why no more frames are kept.
    """

    def __init__(
        self,
        core: CMMCorePlus,
        choice: FrameChoice,
        power: tuple[str, str] | None,
        folder: Path | None,
    ) -> None:
        self.sequence: MDASequence | None = None
        self.pixel_um = 0.0
        self.frames: list[Frame] = []
        self.spool: Spool | None = None
        self.ended: State | None = None
        self.failure: CopError | None = None
        self._core, self._choice, self._power, self._folder = core, choice, power, folder
        self._met: dict[str, int] = {}
        # each frame of a triggered burst has its own power, stated only in its event
        self._triggered = power is not None and core.isPropertySequenceable(*power)
        events = core.mda.events
        self._slots: list[tuple[Any, Callable[..., None]]] = [
            (events.sequenceStarted, self._start),
            (events.frameReady, self._take),
            (events.sequenceFinished, self._finish),
        ]
        for signal, slot in self._slots:
            _connect(signal, slot)

    def close(self) -> None:
        """Release the core and remove the spool; further calls do nothing."""
        while self._slots:
            signal, slot = self._slots.pop()
            with suppress(RuntimeError):  # at the end of the program Qt may already be gone
                signal.disconnect(slot)
        self.ended = self.ended or State.STOPPED
        if self.spool is not None:
            self.spool.close()
            self.spool = None

    def _start(self, sequence: MDASequence, summary: Mapping[str, Any]) -> None:
        if self.sequence is None:
            self.sequence = sequence
            for info in summary.get("image_infos", ())[:1]:
                self.pixel_um = float(info.get("pixel_size_um") or 0.0)

    def _take(self, image: npt.NDArray[Any], event: MDAEvent, _meta: Mapping[str, Any]) -> None:
        if self.ended is not None or self.failure is not None:
            return
        try:
            if self._choice.takes(event, self._met):
                self._keep(image, event)
        except CopError as error:
            self.failure = error
        except Exception as error:
            self.failure = CopError(
                f"its frames cannot be kept ({type(error).__name__}: {error})",
                where="acquisition",
                advice="earlier planes are kept; free some disk space",
            )

    def _keep(self, image: npt.NDArray[Any], event: MDAEvent) -> None:
        frame = Frame(self._position(event.z_pos), self._power_mw(event), time.time())
        if self.spool is None:
            if image.ndim != 2:
                raise InputError("its frames are in colour", where="acquisition")
            self.spool = Spool(image.shape, image.dtype, self._folder)
        self.frames.append(frame)
        self.spool.append(image)

    def _position(self, z_um: float | None) -> float:
        """Return the position of the stage, which must move in one direction."""
        if z_um is None:
            raise InputError(
                "a frame has no z position", where="acquisition", advice="acquire with a z plan"
            )
        before = [frame.z_um for frame in self.frames[-2:]]
        still = before and z_um == before[-1]
        if still or (len(before) == 2 and (z_um > before[1]) != (before[1] > before[0])):
            raise InputError(
                f"z goes from {before[-1]:g} to {z_um:g} µm",
                where=f"plane {len(self.frames)}",
                advice="acquire the planes of a stack in order of depth",
            )
        return z_um

    def _power_mw(self, event: MDAEvent) -> float:
        if "power_mw" in event.metadata:
            return float(event.metadata["power_mw"])
        if self._power is None:
            return math.nan
        if self._triggered:
            for device, name, value in event.properties or ():
                if (device, name) == self._power:
                    return float(value)
        # not the value in the event: a device that refused it keeps its former one
        return float(self._core.getPropertyFromCache(*self._power))

    def _finish(self, _sequence: MDASequence) -> None:
        if self.sequence is not None and self.ended is None:
            done = self._core.mda.status.finish_reason == "completed"
            self.ended = State.COMPLETE if done else State.STOPPED


def _connect(signal: Any, slot: Callable[..., None]) -> None:
    """Connect a slot that runs in the thread of the signal.

    Qt would pass it to the connecting thread: frames would then wait until that is free.
    """
    binding = sys.modules[type(signal).__module__]
    if hasattr(binding, "Qt"):
        signal.connect(slot, binding.Qt.ConnectionType.DirectConnection)
    else:
        signal.connect(slot)
