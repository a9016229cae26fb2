"""A running Micro-Manager acquisition as a source of planes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast

import numpy as np

from cop_core.errors import InputError
from cop_core.recipes import MEAN, StackOptions
from cop_core.records import ASSUMED, State
from cop_core.stacks import open_stack
from cop_core.stacks.growing.recorder import FrameChoice, FrameRecorder
from cop_core.stacks.power import resolve_power

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    from pymmcore_plus import CMMCorePlus
    from useq import MDASequence

    from cop_core.recipes import GainedPower
    from cop_core.recipes.stack import End
    from cop_core.stacks import Plane, Stack
    from cop_core.stacks.model import LazyStack


class MicroManagerSource:
    """Planes of the next acquisition of a Micro-Manager core; see `Source`.

    Frames are copied into a temporary file in the acquiring thread; everything else happens in the
    thread that calls `news`. A source follows one acquisition from its start to its end, and must
    be made before that starts.

    Parameters
    ----------
    core : CMMCorePlus or UniMMCore
        The core that acquires, with `run_mda`.
    channel, time, position : int, optional
        Index of each, or the channel's name; required if the acquisition has several.
    power : tuple of str, float, str, Path or GainedPower, optional
        Device and property with the power at the sample in mW, or a value accepted by `open_stack`:
        a power in mW, a law, a table over depth. Events may state it themselves, as ``power_mw``
        in their metadata, which takes precedence. NaN if no power is stated.
    planned : int, optional
        Number of planes to come, if the acquisition is run from events without a plan.
    surface : {"first", "last"}, optional
        Plane at the surface, from which depth is measured; by default the first.
    folder : path, optional
        Where the frames are kept until `close`; by default the system's temporary folder.

    Raises
    ------
    InputError
        If an acquisition is already running, the property does not exist, or the power is invalid.
    """

    def __init__(
        self,
        core: CMMCorePlus,
        *,
        channel: int | str | None = None,
        time: int | Literal["mean"] | None = None,
        position: int | None = None,
        power: tuple[str, str] | float | str | Path | GainedPower | None = None,
        planned: int | None = None,
        surface: End | None = None,
        name: str = "acquisition",
        folder: Path | None = None,
    ) -> None:
        own = power if _is_property(power) else None
        self._law = None if own else power
        resolve_power(self._law, np.zeros(0))  # reported before planes arrive
        if time == MEAN:
            raise InputError(
                "time points cannot be averaged while they are acquired",
                where="time",
                advice="choose one by number",
            )
        _require_ready(core, own)
        self.name = name
        self.source = f"Micro-Manager: {core.getCameraDevice() or 'no camera'}"
        self.state = State.WAITING
        self._choice = FrameChoice(channel, time, position)
        self._surface, self._expected = surface, planned
        self._recorder = FrameRecorder(core, self._choice, own, folder)
        self._plan: list[float] | None = None
        self._given = self.waiting = 0

    @property
    def planned(self) -> int | None:
        """Number of planes in the plan; before the start, and without a plan, the given number."""
        return self._expected if self._plan is None else len(self._plan)

    def completed_at(self, index: int) -> float:
        """Return the time at which a plane arrived, in s as of `time.time`."""
        return self._recorder.frames[index].clock_s

    def news(self, limit: int | None = None) -> list[Plane]:
        """Return planes that have arrived but were not delivered before, in order; see `Source`.

        Raises
        ------
        InputError
            If the acquisition is not a single z-stack.
        CopError
            If its frames can no longer be kept. Planes that arrived before are delivered first.
        """
        recorder = self._recorder
        ended = recorder.ended  # before the planes are counted: none arrives after it
        self._read_plan()
        come = len(recorder.spool or ())
        planes = self._come(limit) if come > self._given else []
        if recorder.failure and not planes:
            self.state = State.STOPPED
            raise recorder.failure
        running = State.GROWING if self._given else State.WAITING
        over = ended if not self.waiting and not recorder.failure else None
        self.state = over or running
        return planes

    def stack(self) -> Stack:
        """Return the planes that have arrived so far as a stack.

        Raises
        ------
        InputError
            If none has arrived yet, or the source was closed.
        """
        recorder = self._recorder
        if not recorder.spool:
            raise InputError("it holds no planes (yet, or any more)", where=self.source)
        # a placeholder for the positions below, which need not be regular
        opened = open_stack(recorder.spool, axes="ZYX", z_step_um=1.0, name=self.name)
        frames = recorder.frames[: len(opened)]
        z_um = np.array([frame.z_um for frame in frames])
        depth_um = np.abs(z_um - self._surface_um())
        stated = np.array([frame.power_mw for frame in frames])
        return replace(
            cast("LazyStack", opened),
            source=self.source,
            depth_um=_frozen(depth_um),
            power=_frozen(np.where(np.isnan(stated), resolve_power(self._law, depth_um), stated)),
            pixel_size_um=(recorder.pixel_um,) * 2 if recorder.pixel_um > 0 else None,
            options=StackOptions(name=self.name, power=self._law, surface=self._surface),
            image=replace(
                opened.image,
                depth_from="acquisition",
                surface=self._surface or "first",
                surface_from="as given" if self._surface else ASSUMED,
                power_from="acquisition" if np.isfinite(stated).any() else opened.image.power_from,
            ),
        )

    def close(self) -> None:
        """Release the core and remove the planes; further calls do nothing."""
        self._recorder.close()

    def _come(self, limit: int | None) -> list[Plane]:
        stack = self.stack()
        stop = len(stack) if limit is None else min(len(stack), self._given + limit)
        planes = [stack.plane(index) for index in range(self._given, stop)]
        self._given, self.waiting = stop, len(stack) - stop
        return planes

    def _read_plan(self) -> None:
        """Read the plan once, and detect before its end if it is not a single stack."""
        try:
            self._plan = self._planned_z()
        except InputError as error:
            self._recorder.failure, self.state = error, State.STOPPED
            raise

    def _planned_z(self) -> list[float] | None:
        sequence = self._recorder.sequence
        if self._plan is not None or sequence is None or _is_generated(sequence):
            return self._plan
        met: dict[str, int] = {}
        taken = [event for event in sequence if self._choice.takes(event, met)]
        if not taken:
            raise InputError(
                f"no plane of the plan matches {self._choice}",
                where=self.source,
                advice="choose a channel, time and position from the plan",
            )
        return [event.z_pos for event in taken if event.z_pos is not None]

    def _surface_um(self) -> float:
        """Return the stage's position at depth 0."""
        if self._surface != "last":
            return self._recorder.frames[0].z_um
        self._read_plan()
        if not self._plan:
            raise InputError(
                "the last plane is not known before it arrives",
                where=self.source,
                advice="acquire from a plan, or from the surface downwards",
            )
        return self._plan[-1]


def _is_property(power: Any) -> TypeGuard[tuple[str, str]]:
    """Return whether a power is given as device and property."""
    return isinstance(power, tuple) and [type(part) for part in power] == [str, str]


def _require_ready(core: CMMCorePlus, power: tuple[str, str] | None) -> None:
    if core.mda.is_running():
        raise InputError(
            "an acquisition is already running",
            where="acquisition",
            advice="start watching before it starts",
        )
    if power is None:
        return
    device, name = power
    if device not in core.getLoadedDevices() or not core.hasProperty(device, name):
        raise InputError(
            f"there is no property {name!r} of a device {device!r}",
            where="power",
            advice=f"devices are {', '.join(core.getLoadedDevices())}",
        )
    core.getProperty(device, name)  # fills the cache from which frames get their power


def _is_generated(sequence: MDASequence) -> bool:
    """Return whether events are generated during the acquisition, without a plan."""
    from pymmcore_plus import GeneratorMDASequence

    return isinstance(sequence, GeneratorMDASequence)


def _frozen(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    values.setflags(write=False)
    return values
