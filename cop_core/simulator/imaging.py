"""A microscope that images the phantom, one plane at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.simulator.spheres import FloatArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cop_core.simulator.detector import Detector
    from cop_core.simulator.optics import Optics
    from cop_core.simulator.phantom import Phantom

Exposure: TypeAlias = tuple[npt.NDArray[np.uint16], FloatArray]


@dataclass(frozen=True)
class Microscope:
    """Phantom, optics and detector that belong together.

    Attributes
    ----------
    phantom : Phantom
        What is imaged.
    optics : Optics
        How excitation reaches it.
    detector : Detector
        How its photons become counts.
    """

    phantom: Phantom
    optics: Optics
    detector: Detector

    def concentration(self, depth_um: float) -> FloatArray:
        """Concentration as the optics resolve it in one plane, (height, width)."""
        fluorophore = self.phantom.fluorophore(depth_um)
        return self.optics.blur(fluorophore, depth_um, self.phantom.pixel_um)

    def expose(
        self,
        concentration: FloatArray,
        power_mw: float,
        depth_um: float,
        rng: np.random.Generator,
    ) -> Exposure:
        """Image one plane once: counts as read, and the noise-free counts."""
        photons = concentration * np.float32(self.optics.signal(power_mw, depth_um))
        return self.detector.read(photons, rng), self.detector.expected(photons)


def simulate(
    phantom: Phantom,
    optics: Optics,
    detector: Detector,
    power_mw: npt.ArrayLike,
    depths_um: npt.ArrayLike,
    *,
    seed: int = 0,
) -> Iterator[Exposure]:
    """Acquire a stack, plane by plane.

    Parameters
    ----------
    phantom, optics, detector : Phantom, Optics, Detector
        What is imaged, and with what.
    power_mw : array_like of shape () or (planes,)
        Power at the surface in mW.
    depths_um : array_like of shape (planes,)
        Depths of the planes in um.
    seed : int, default 0
        Seed of the noise. A plane's noise depends on the seed and the plane's index alone.

    Yields
    ------
    counts : ndarray of uint16, shape (height, width)
        The plane as read.
    expected : ndarray of float32, shape (height, width)
        Its noise-free counts, offset included, neither rounded nor clipped.

    Raises
    ------
    InputError
        If depths, powers or the seed are negative or not finite, or lengths do not match.
    """
    pair = simulate_pair(
        Microscope(phantom, optics, detector), {"": power_mw}, depths_um, seed=seed
    )
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
    microscope : Microscope
        What is imaged, and with what.
    protocols : mapping of str to array_like of shape () or (planes,)
        Power in mW of every protocol.
    depths_um : array_like of shape (planes,)
        Depths of the planes in um.
    seed : int, default 0
        Seed of the noise; the first protocol's noise is that of `simulate`.

    Yields
    ------
    dict of str to (counts, expected)
        One plane under every protocol; see `simulate`.

    Raises
    ------
    InputError
        If depths, powers or the seed are negative or not finite, or lengths do not match.
    """
    if seed < 0:
        raise InputError(f"the seed cannot be {seed}", advice="Give a seed from 0 up")
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
            advice="Give one power, or one for every plane",
        )
    return np.broadcast_to(power, depths_um.shape)


def _checked(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    """Finite values from 0 up, as a vector."""
    vector = np.atleast_1d(np.asarray(values, np.float64))
    if vector.ndim != 1 or not (np.isfinite(vector) & (vector >= 0)).all():
        raise InputError(
            f"{name} must be a row of finite numbers from 0 up", advice="Correct the values"
        )
    return vector
