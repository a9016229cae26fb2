"""Camera, stage and laser of the simulated microscope, as Micro-Manager devices in Python."""

from __future__ import annotations

import math
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymmcore_plus import FocusDirection
from pymmcore_plus.experimental.unicore import GenericDevice, SimpleCameraDevice, StageDevice

from cop_core.errors import InputError
from cop_core.stacks.growing.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from cop_core.power import PowerLimit
    from cop_core.simulator.drawing import FloatArray
    from cop_core.simulator.microscope import Microscope

POWER: Final = "Power_mW"
"""The laser's property: average power at the sample, in mW."""

MOST_SECTIONS: Final = 2000
"""Number of depths whose sections are kept; others are rendered whenever they are imaged."""


class Laser(GenericDevice):
    """Excitation, dark at first; refuses powers above its limit.

    The limit cannot be changed afterwards.
    """

    def __init__(self, limit: PowerLimit) -> None:
        super().__init__()
        self._limit = limit
        self._power_mw = 0.0
        self.register_property(
            POWER,
            property_type=float,
            limits=(0.0, limit.max_power),  # for windows with a slider
            getter=Laser.get_power,
            setter=Laser.set_power,
        )

    def get_power(self) -> float:
        return self._power_mw

    def set_power(self, power_mw: float) -> None:
        """Set the power; if it is refused, keep the former one and raise InputError."""
        self._power_mw = self._limit.require(power_mw)

    def shutdown(self) -> None:
        self._power_mw = 0.0


class DepthStage(StageDevice):
    """The focus, whose position is its depth below the pia."""

    def __init__(self, deepest_um: float) -> None:
        super().__init__()
        self._deepest_um = deepest_um
        self._depth_um = 0.0

    def get_position_um(self) -> float:
        return self._depth_um

    def set_position_um(self, val: float) -> None:
        """Move to a depth; InputError outside the phantom."""
        if not 0 <= val <= self._deepest_um:
            raise InputError(
                f"the focus cannot go to {val:g} µm",
                where="stage",
                advice=f"the phantom is {self._deepest_um:g} µm deep",
            )
        self._depth_um = float(val)

    def get_focus_direction(self) -> FocusDirection:
        """Return that positions increase into the sample."""
        return FocusDirection.TowardSample

    def home(self) -> None:
        self._depth_um = 0.0

    def stop(self) -> None:
        """Do nothing: every move is complete when its call returns."""

    def set_origin(self) -> None:
        """Refuse: depth counts from the pia."""
        raise InputError("depth is measured from the pia, which does not move", where="stage")


class SectionCache:
    """Sections of the phantom as resolved by the microscope, by depth.

    A section takes longer to render than to expose (about 0.2 s against 0.04 s at 512x512). Each is
    rendered once, in advance or when first imaged, and kept in a temporary file.
    """

    def __init__(self, microscope: Microscope) -> None:
        self._microscope = microscope
        self._spool = Spool(microscope.phantom.shape, np.float32)
        self._index: dict[float, int] = {}
        self._lock = Lock()

    def at(self, depth_um: float) -> FloatArray:
        """Return the concentration in one plane, shape (height, width)."""
        with self._lock:
            if depth_um in self._index:
                return self._spool[self._index[depth_um]]
            section = self._microscope.concentration(depth_um)
            if len(self._spool) < MOST_SECTIONS:
                self._spool.append(section)
                self._index[depth_um] = len(self._spool) - 1
            return section

    def close(self) -> None:
        """Remove the file."""
        self._spool.close()


class ScanCamera(SimpleCameraDevice):
    """Camera whose frames are scans of one plane.

    Every exposure draws new noise. Like the n-th plane of `simulate`, the n-th exposure depends
    only on the seed, n, depth and power.

    Parameters
    ----------
    microscope : Microscope
        Optics and detector.
    sections : SectionCache
        Sections of the phantom.
    stage : DepthStage
        Gives the depth of the focus.
    laser : Laser
        Gives the power.
    seed : int
        Seed of the noise.
    frame_ms : float
        Minimum time per frame.
    """

    def __init__(
        self,
        microscope: Microscope,
        sections: SectionCache,
        stage: DepthStage,
        laser: Laser,
        seed: int,
        frame_ms: float,
    ) -> None:
        super().__init__()
        self._microscope, self._sections = microscope, sections
        self._stage, self._laser = stage, laser
        self._seed, self._frame_ms = seed, frame_ms
        self._exposures = 0

    def sensor_shape(self) -> tuple[int, int]:
        return self._microscope.phantom.shape

    def dtype(self) -> npt.DTypeLike:
        return np.uint16

    def get_exposure(self) -> float:
        return self._frame_ms

    def set_exposure(self, exposure: float) -> None:
        """Refuse any other: the photons per pixel apply to one speed of the scan."""
        if not math.isclose(exposure, self._frame_ms):
            raise InputError(
                f"the scan has a single speed, {self._frame_ms:g} ms per frame",
                where="camera",
                advice="change the power instead",
            )

    def snap(self, buffer: npt.NDArray[Any]) -> Mapping[str, float]:
        """Scan one plane into a buffer; return depth and power."""
        end = time.perf_counter() + self._frame_ms / 1000
        depth_um, power_mw = self._stage.get_position_um(), self._laser.get_power()
        rng = np.random.default_rng((self._seed, 0, self._exposures))
        self._exposures += 1
        section = self._sections.at(depth_um)
        buffer[:] = self._microscope.expose(section, power_mw, depth_um, rng)[0]
        time.sleep(max(0.0, end - time.perf_counter()))
        return {"Depth_um": depth_um, POWER: power_mw}

    def shutdown(self) -> None:
        """Remove the rendered sections."""
        self._sections.close()
