"""Ready-made experiments: the same tissue at fixed and at depth-gained power."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.simulator.detector import Detector
from cop_core.simulator.imaging import Microscope
from cop_core.simulator.optics import Optics
from cop_core.simulator.phantom import Phantom
from cop_core.stacks.power import GainedPower, constant

_PAPER_POWER: Final = GainedPower(5.0, 300.0, 60.0)


@dataclass(frozen=True)
class Preset:
    """A pair of stacks to acquire.

    Attributes
    ----------
    name : str
        What the experiment is called.
    microscope : Microscope
        Tissue and instrument; the phantom's seed is replaced by the pair's.
    planes : int
        Planes of a stack.
    z_step_um : float
        Distance of the planes in um; the first lies at the pia.
    fixed_mw : float
        Power of the fixed protocol in mW.
    gained : GainedPower
        Law of the gained protocol.
    """

    name: str
    microscope: Microscope
    planes: int
    z_step_um: float
    fixed_mw: float = 5.0
    gained: GainedPower = _PAPER_POWER

    @property
    def depths_um(self) -> npt.NDArray[np.float64]:
        """Depth of every plane in um."""
        return np.arange(self.planes, dtype=np.float64) * self.z_step_um

    @property
    def powers_mw(self) -> dict[str, npt.NDArray[np.float64]]:
        """Power of every plane in mW, by protocol."""
        return {
            "fixed": constant(self.depths_um, self.fixed_mw),
            "gained": self.gained.at(self.depths_um),
        }

    @property
    def cap_depth_um(self) -> float:
        """Depth in um at which the gained power reaches its cap, l ln(Pmax / P0)."""
        law = self.gained
        return float(law.length_um * np.log(law.max_mw / law.p0_mw))

    def seeded(self, seed: int) -> Preset:
        """Return the same experiment on the tissue of another seed."""
        phantom = replace(self.microscope.phantom, seed=seed)
        return replace(self, microscope=replace(self.microscope, phantom=phantom))


PRESETS: Final[dict[str, Preset]] = {
    "sample": Preset(
        "sample",
        Microscope(
            Phantom(shape=(256, 256), field_um=400.0, depth_um=1200.0),
            Optics(photons=680.0),
            Detector(gain_counts=5.0, amplifier_counts=2.0),
        ),
        planes=60,
        z_step_um=20.0,
    ),
    "paper": Preset(
        "paper",
        Microscope(Phantom(), Optics(photons=80.0), Detector(gain_counts=40.0)),
        planes=326,
        z_step_um=4.0,
    ),
}
"""`sample`: small, many photons (slow scan), for demonstrations and tests. `paper`: the size and
powers of arXiv 2601.17047, with the few photons that 0.5 frames/s at 1 MHz leave a pixel."""


def preset_named(name: str) -> Preset:
    """Look up a preset; InputError for an unknown name."""
    if name not in PRESETS:
        raise InputError(f"there is no preset {name!r}", advice=f"Choose from {', '.join(PRESETS)}")
    return PRESETS[name]
