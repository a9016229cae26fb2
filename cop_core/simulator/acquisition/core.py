"""The simulated three-photon microscope as a Micro-Manager core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pymmcore_plus import CMMCorePlus
from pymmcore_plus.experimental.unicore import UniMMCore
from useq import MDAEvent

from cop_core.errors import InputError
from cop_core.power import PowerLimit
from cop_core.simulator.acquisition.devices import (
    POWER,
    DepthStage,
    Laser,
    ScanCamera,
    SectionCache,
)
from cop_core.simulator.protocols import Preset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CAMERA: Final = "Camera"
STAGE: Final = "Z"
LASER: Final = "Laser"
LASER_POWER: Final = (LASER, POWER)
"""Device and property of the power, as used by `MicroManagerSource`."""


class SimulatedCore(UniMMCore):
    """A core with a camera, a stage and a laser that image the digital phantom.

    `simulated_core` makes one.
    """

    def __init__(self, preset: Preset, limit: PowerLimit, seed: int, frame_ms: float) -> None:
        super().__init__()
        self.preset, self.limit = preset, limit
        microscope = preset.microscope
        self._sections = SectionCache(microscope)
        stage, laser = DepthStage(microscope.phantom.depth_um), Laser(limit)
        camera = ScanCamera(microscope, self._sections, stage, laser, seed, frame_ms)
        for label, device in {CAMERA: camera, STAGE: stage, LASER: laser}.items():
            self.loadPyDevice(label, device)
            self.initializeDevice(label)
        self.setCameraDevice(CAMERA)
        self.setFocusDevice(STAGE)
        self.setAutoShutter(False)
        self.definePixelSizeConfig("field")
        self.setPixelSizeUm("field", microscope.phantom.pixel_um)

    def render(
        self, depths_um: Iterable[float], progress: Callable[[int], None] = lambda _done: None
    ) -> None:
        """Render the tissue at these depths in advance; imaging then takes no longer than a scan.

        `progress` is called with the number rendered.
        """
        for done, depth_um in enumerate(depths_um, start=1):
            self._sections.at(depth_um)
            progress(done)

    def waitForDeviceType(self, devType: int) -> None:  # noqa: N802
        """Wait only for devices in C++: those in Python are done when their call returns.

        UniMMCore queries each of them in a thread of its own, before every frame. While another
        thread works in Python this takes 10 ms or more, which would slow down an acquisition that
        is watched.
        """
        CMMCorePlus.waitForDeviceType(self, devType)


def simulated_core(
    preset: str | Preset = "sample",
    *,
    max_power_mw: float = 60.0,
    seed: int = 0,
    frame_ms: float = 0.0,
) -> SimulatedCore:
    """Return a simulated three-photon microscope that acquires like any other.

    The frame at a stage position of z µm and a laser power of P mW is the image by the simulator's
    optics and detector at depth z and power P. With the same seed, frames acquired in the same
    order at the same depths and powers are identical.

    Parameters
    ----------
    preset : str or Preset
        ``"sample"`` (256 x 256), ``"paper"`` (512 x 512), or your own.
    max_power_mw : float
        Power limit of the laser, in mW at the sample.
    seed : int
        Seed of tissue and noise.
    frame_ms : float
        Minimum time per frame; 0 for as fast as it can be simulated.

    Returns
    -------
    SimulatedCore
        With the devices ``Camera``, ``Z`` (depth in µm) and ``Laser`` (property ``Power_mW``),
        dark at first.

    Raises
    ------
    InputError
        If there is no such preset, or the limit is not a power.
    """
    limit = PowerLimit(max_power_mw)
    return SimulatedCore(Preset.of(preset).seeded(seed), limit, seed, frame_ms)


def plane_event(index: int, depth_um: float, power_mw: float) -> MDAEvent:
    """Return the event of one plane: go to a depth, set the laser to a power."""
    return MDAEvent.model_validate(
        {
            "index": {"z": index},
            "z_pos": depth_um,
            "properties": [(*LASER_POWER, power_mw)],
        }
    )


def stack_events(depths_um: Sequence[float], power_mw: Sequence[float]) -> list[MDAEvent]:
    """Return the events of a stack, for `run_mda`.

    Parameters
    ----------
    depths_um, power_mw : sequence of float, shape (planes,)
        Depth and power of every plane. These powers are requested; the laser ignores those that it
        refuses.

    Raises
    ------
    InputError
        If there are not as many powers as depths.
    """
    if len(depths_um) != len(power_mw):
        raise InputError(
            f"{len(power_mw)} powers do not match {len(depths_um)} depths",
            advice="use one power per plane",
        )
    each = zip(depths_um, power_mw, strict=True)
    return [plane_event(k, float(depth), float(power)) for k, (depth, power) in enumerate(each)]
