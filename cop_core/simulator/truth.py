"""What is true of every simulated plane, in photons, counts and the genome's strengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cop_core.simulator.detector import Detector
    from cop_core.simulator.spheres import FloatArray

PERCENTILES: tuple[float, float] = (0.1, 99.9)
"""Percentiles of a plane or stack that normalisation maps to 0 and 1."""


@dataclass(frozen=True)
class Strengths:
    """Noise strengths of the microscopy genome once counts [low, high] are mapped to [0, 1].

    With a full scale R = high - low counts, gain g, excess noise factor F and amplifier SD a:
    shot noise has variance F g (c - offset), that is x F g / R of a normalised x plus a pedestal,
    so N = R / (F g) photons stand at full scale and s = 2 / sqrt(N); the amplifier gives
    s = 2 a / R and rounding to whole counts s = 4 / R.

    Where hardly a photon arrives, R is amplifier noise stretched to the full scale and this
    Poisson strength, a property of the scale, says little (it may pass 1): compare a prediction
    with the equivalent one, at which the genome's shot noise has the variance that the photons
    really bring, s^2 / 4 mean(x) = F g^2 (mean photons) / R^2.

    Attributes
    ----------
    low_counts, high_counts : float
        Percentiles that become 0 and 1, in counts.
    poisson, gaussian, quantization : float
        Strengths.
    poisson_equivalent : float
        Poisson strength with the photon noise that is there on average.
    """

    low_counts: float
    high_counts: float
    poisson: float
    gaussian: float
    quantization: float
    poisson_equivalent: float

    @classmethod
    def of(
        cls, detector: Detector, low_counts: float, high_counts: float, mean_photons: float
    ) -> Strengths:
        """Strengths in a range of counts, at least one wide, at a mean of signal photons."""
        scale = max(high_counts - low_counts, 1.0)
        light_counts = detector.gain_counts * (mean_photons + detector.dark_photons)
        above_low = max(detector.offset_counts + light_counts - low_counts, 1.0)
        photon_variance = detector.excess_factor * detector.gain_counts * light_counts
        return cls(
            low_counts=low_counts,
            high_counts=high_counts,
            poisson=float(2 * np.sqrt(detector.excess_factor * detector.gain_counts / scale)),
            gaussian=2 * detector.amplifier_counts / scale,
            quantization=4 / scale,
            poisson_equivalent=float(2 * np.sqrt(photon_variance / scale / above_low)),
        )


@dataclass(frozen=True)
class PlaneTruth:
    """What is true of one plane.

    Attributes
    ----------
    plane : int
        Index in the stack, from 0.
    depth_um, power_mw : float
        Depth in um; power at the surface in mW.
    full_photons : float
        Mean photons per pixel where the concentration is 1.
    mean_photons : float
        Mean signal photons per pixel of the plane, without dark counts.
    photon_noise_counts : float
        SD of photon noise (excess noise and dark counts included) at that mean, in counts.
    amplifier_noise_counts : float
        SD of the amplifier's noise, in counts.
    snr : float
        Mean signal over the SD of all noise at the mean.
    contrast_counts : float
        SD of the noise-free plane, in counts: the structure there is to see.
    saturated_fraction : float
        Fraction of pixels at the converter's limit.
    by_plane : Strengths
        Strengths when the plane is normalised by its own percentiles.
    """

    plane: int
    depth_um: float
    power_mw: float
    full_photons: float
    mean_photons: float
    photon_noise_counts: float
    amplifier_noise_counts: float
    snr: float
    contrast_counts: float
    saturated_fraction: float
    by_plane: Strengths


def plane_truth(
    detector: Detector,
    counts: npt.NDArray[np.uint16],
    expected: FloatArray,
    *,
    plane: int,
    depth_um: float,
    power_mw: float,
    full_photons: float,
) -> PlaneTruth:
    """State the truth of one exposure; see `PlaneTruth`."""
    light_counts = float(expected.mean(dtype=np.float64)) - detector.offset_counts
    electrons = max(light_counts / detector.gain_counts, detector.dark_photons)
    mean_photons = electrons - detector.dark_photons
    low_counts, high_counts = np.percentile(counts, PERCENTILES).tolist()
    photon_noise = detector.gain_counts * np.sqrt(detector.excess_factor * electrons)
    noise_counts = float(detector.noise_counts(mean_photons))
    return PlaneTruth(
        plane=plane,
        depth_um=depth_um,
        power_mw=power_mw,
        full_photons=full_photons,
        mean_photons=mean_photons,
        photon_noise_counts=float(photon_noise),
        amplifier_noise_counts=detector.amplifier_counts,
        snr=detector.gain_counts * mean_photons / noise_counts,
        contrast_counts=float(expected.std(dtype=np.float64)),
        saturated_fraction=float(np.mean(counts >= detector.max_counts)),
        by_plane=Strengths.of(detector, low_counts, high_counts, mean_photons),
    )


def histogram(counts: npt.NDArray[np.uint16], detector: Detector) -> npt.NDArray[np.int64]:
    """Count the pixels at each of the converter's values."""
    return np.bincount(counts.ravel(), minlength=detector.max_counts + 1)


def stack_strengths(
    detector: Detector, pixels: npt.NDArray[np.int64], mean_photons: float
) -> Strengths:
    """Strengths when the whole stack is normalised together, from its histogram."""
    share = np.cumsum(pixels) / pixels.sum()
    low, high = np.searchsorted(share, np.array(PERCENTILES) / 100).tolist()
    return Strengths.of(detector, float(low), float(high), mean_photons)
