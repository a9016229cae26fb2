"""Demonstration without hardware: the simulated three-photon microscope acquires two stacks."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.recipes import StackOptions
from napari_cop.layers import CONTRAST_PERCENTILES, contrast_limits
from napari_cop.live.acquisition import Acquired, AcquisitionFeed, state_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer

    from cop_core.simulator import Preset
    from cop_core.simulator.acquisition import SimulatedCore
    from cop_core.stacks.growing.micromanager import MicroManagerSource
    from napari_cop.sources import ChosenStack

PRESET: Final = "sample"
FRAME_MS: Final = 200.0
"""Time of a frame in ms: 5 frames per second, as on real microscopes."""


class DemoMicroscope:
    """The simulated microscope, made on first use."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self._core: SimulatedCore | None = None
        self._thread: Thread | None = None

    def core(self) -> SimulatedCore:
        """Return the core."""
        from cop_core.simulator.acquisition import simulated_core

        if self._core is None:
            limit_mw = float(max(power.max() for power in self.preset.powers_mw.values()))
            self._core = simulated_core(self.preset, max_power_mw=limit_mw, frame_ms=FRAME_MS)
        return self._core

    def acquire(self, protocol: str) -> None:
        """Start acquiring a stack in the background."""
        from cop_core.simulator.acquisition import stack_events

        preset = self.preset
        events = stack_events(preset.depths_um.tolist(), preset.powers_mw[protocol].tolist())
        self._thread = self.core().run_mda(events)

    def rest(self) -> None:
        """Wait until the previous acquisition has ended."""
        if self._thread is not None:
            self._thread.join()

    def shut_down(self) -> None:
        """End the acquisition and remove the devices, in the background."""
        core, self._core = self._core, None
        if core is not None:
            core.mda.cancel()
            Thread(target=self._remove, args=(core,)).start()

    def _remove(self, core: SimulatedCore) -> None:
        self.rest()
        core.unloadAllDevices()


class DemoFeed(AcquisitionFeed):
    """One stack of the demonstration, shown in the viewer while it grows."""

    PREPARING = "Preparing the simulated microscope …"

    def __init__(self, viewer: Viewer, microscope: DemoMicroscope, protocol: str) -> None:
        super().__init__(protocol, microscope.preset.depths_um)
        self._viewer, self._microscope = viewer, microscope
        self._layer: Image | None = None
        self._step: int | None = None

    def connect(self, cancelled: Callable[[], bool]) -> MicroManagerSource:
        """Make the microscope and connect to it."""
        from cop_core.simulator.acquisition import LASER_POWER
        from cop_core.stacks.growing.micromanager import MicroManagerSource

        self._microscope.rest()
        return MicroManagerSource(
            self._microscope.core(),
            power=LASER_POWER,
            planned=len(self.depth_um),
            name=self.name,
        )

    def begin(self) -> None:
        """Acquire in the background."""
        self._microscope.acquire(self.name)

    def came(self, planes: int) -> None:
        """Show the newest plane, unless the user looks at another."""
        if self._layer is None:
            data, arguments, _ = self.layer_data(len(self.depth_um))
            arguments["scale"] = (self._microscope.preset.z_step_um, *arguments["scale"][1:])
            self._layer = self._viewer.add_image(data, **arguments)
        dims, axis = self._viewer.dims, self._viewer.dims.ndim - 3
        self._layer.refresh(thumbnail=False)
        self._layer.contrast_limits = self._limits(planes - 1)
        if self._step in (None, dims.current_step[axis]):
            dims.set_point(axis, self.depth_um[planes - 1])
            self._step = dims.current_step[axis]

    def _limits(self, index: int) -> tuple[float, float]:
        """Return contrast limits for one plane: those of the first would leave deep ones black."""
        low, high = np.percentile(self.stack().plane(index).data, CONTRAST_PERCENTILES)
        return float(low), float(max(high, low + 1))

    def shown(self) -> ChosenStack:
        """Return the acquired stack, in its layer."""
        return Acquired(StackOptions(name=self.name), self, self._layer)

    def ended(self) -> None:
        """Shut the microscope down."""
        self._microscope.shut_down()
        if self._layer is not None and self.acquired is not None:
            stack = self.stack()
            state_all(self._layer.metadata, stack)
            self._layer.contrast_limits = contrast_limits(stack) or self._layer.contrast_limits
