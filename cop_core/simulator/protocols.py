"""Stacks of one tissue under power protocols, and ready-made experiments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.recipes import GainedPower
from cop_core.simulator.microscope import Detector, Exposure, Microscope, Optics
from cop_core.simulator.phantom import Phantom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PAPER_POWER: Final = GainedPower(5.0, 300.0, 60.0)


def simulate(
    phantom: Phantom,
    optics: Optics,
    detector: Detector,
    power_mw: npt.ArrayLike,
    depths_um: npt.ArrayLike,
    *,
    seed: int = 0,
) -> Iterator[Exposure]:
    """Acquire a stack, plane by plane; see `simulate_pair`."""
    microscope = Microscope(phantom, optics, detector)
    pair = simulate_pair(microscope, {"": power_mw}, depths_um, seed=seed)
    return (exposures[""] for exposures in pair)


def simulate_pair(
    microscope: Microscope,
    protocols: Mapping[str, npt.ArrayLike],
    depths_um: npt.ArrayLike,
    *,
    seed: int = 0,
) -> Iterator[dict[str, Exposure]]:
    """Acquire the same tissue under several protocols, with independent noise.

    Parameters
    ----------
    protocols : mapping of str to array_like of shape () or (planes,)
        Power of every protocol at the surface, in mW.
    depths_um : array_like of shape (planes,)
    seed : int, default 0
        Seed of the noise. The noise of a plane depends only on the seed, its index and that of its
        protocol.

    Yields
    ------
    dict of str to Exposure
        One plane under every protocol, both arrays of shape (height, width).

    Raises
    ------
    InputError
        If depths, powers or the seed are negative or not finite, or lengths do not match.
    """
    if seed < 0:
        raise InputError(f"the seed cannot be {seed}", advice="use a seed of 0 or more")
    depths = _checked(depths_um, "depths_um")
    powers = {name: _matched(power, depths, name) for name, power in protocols.items()}
    return _acquire(microscope, powers, depths, seed)


def _acquire(
    microscope: Microscope,
    powers: Mapping[str, npt.NDArray[np.float64]],
    depths_um: npt.NDArray[np.float64],
    seed: int,
) -> Iterator[dict[str, Exposure]]:
    """Draw each plane's tissue once and image it under every protocol."""
    for index, depth_um in enumerate(depths_um.tolist()):
        concentration = microscope.concentration(depth_um)
        yield {
            name: microscope.expose(
                concentration,
                float(power_mw[index]),
                depth_um,
                np.random.default_rng((seed, stream, index)),
            )
            for stream, (name, power_mw) in enumerate(powers.items())
        }


def _matched(
    power_mw: npt.ArrayLike, depths_um: npt.NDArray[np.float64], name: str
) -> npt.NDArray[np.float64]:
    """One power in mW for every depth."""
    power = _checked(power_mw, f"power_mw {name}".strip())
    if power.size not in {1, depths_um.size}:
        raise InputError(
            f"{power.size} powers do not match {depths_um.size} depths",
            where=name or None,
            advice="use one power, or one per plane",
        )
    return np.broadcast_to(power, depths_um.shape)


def _checked(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    """Finite values from 0 up, as a vector."""
    vector = np.atleast_1d(np.asarray(values, np.float64))
    if vector.ndim != 1 or not (np.isfinite(vector) & (vector >= 0)).all():
        raise InputError(
            f"{name} must be a sequence of finite numbers, 0 or more", advice="correct the values"
        )
    return vector


@dataclass(frozen=True)
class Preset:
    """A pair of stacks to acquire, at fixed and at gained power; the first plane at the pia.

    The phantom's seed is replaced by the pair's.
    """

    name: str
    microscope: Microscope
    planes: int
    z_step_um: float
    fixed_mw: float = 5.0
    gained: GainedPower = _PAPER_POWER

    @classmethod
    def of(cls, preset: str | Preset) -> Preset:
        """Look up a preset's name; InputError for an unknown one."""
        if isinstance(preset, Preset):
            return preset
        if preset not in PRESETS:
            choices = ", ".join(PRESETS)
            raise InputError(f"there is no preset {preset!r}", advice=f"use one of {choices}")
        return PRESETS[preset]

    @property
    def depths_um(self) -> npt.NDArray[np.float64]:
        """Depth of every plane."""
        return np.arange(self.planes, dtype=np.float64) * self.z_step_um

    @property
    def powers_mw(self) -> dict[str, npt.NDArray[np.float64]]:
        """Power of every plane, by protocol."""
        return {
            "fixed": np.full(len(self.depths_um), float(self.fixed_mw)),
            "gained": self.gained.at(self.depths_um),
        }

    @property
    def cap_depth_um(self) -> float:
        """Depth at which the gained power reaches its cap, l ln(Pmax / P0)."""
        law = self.gained
        return float(law.length_um * np.log(law.max_mw / law.p0_mw))

    def seeded(self, seed: int) -> Preset:
        """Return the same experiment on tissue with another seed."""
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
