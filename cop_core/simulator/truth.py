"""True values of every simulated plane, in photons, counts and the genome's strengths."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cop_core.simulator.drawing import FloatArray
    from cop_core.simulator.microscope import Counts, Detector, Exposure
    from cop_core.simulator.protocols import Preset

PERCENTILES: tuple[float, float] = (0.1, 99.9)
"""Percentiles of a plane or stack that normalisation maps to 0 and 1."""


@dataclass(frozen=True)
class Strengths:
    """Noise strengths of the microscopy genome once counts [low, high] are mapped to [0, 1].

    With a full scale R = high - low counts, gain g, excess noise factor F and amplifier SD a: shot
    noise has variance F g (c - offset), that is x F g / R for a normalised x plus a pedestal. Full
    scale is therefore N = R / (F g) photons, and s = 2 / sqrt(N); the amplifier gives s = 2 a / R
    and rounding to whole counts s = 4 / R.

    If hardly a photon arrives, R is amplifier noise stretched to the full scale, and this Poisson
    strength, a property of the scale, means little (it may exceed 1). Compare a prediction with the
    equivalent strength instead, at which the genome's shot noise has the true variance of the
    photon noise, s^2 / 4 mean(x) = F g^2 (mean photons) / R^2.

    Attributes
    ----------
    low_counts, high_counts : float
        Percentiles mapped to 0 and 1.
    poisson_equivalent : float
        Poisson strength with the same mean photon noise.
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
        """Strengths for a range of at least one count and a mean number of signal photons."""
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
    """True values of one plane.

    Attributes
    ----------
    full_photons : float
        Mean photons per pixel where the concentration is 1.
    mean_photons : float
        Mean signal photons per pixel of the plane, without dark counts.
    photon_noise_counts : float
        SD of photon noise (excess noise and dark counts included) at that mean.
    snr : float
        Mean signal over the SD of all noise at the mean.
    contrast_counts : float
        SD of the noise-free plane: its structure.
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


class PairTruth:
    """The truth of a pair, collected during its acquisition."""

    def __init__(self, preset: Preset) -> None:
        self._preset, self._microscope = preset, preset.microscope
        self._powers_mw = preset.powers_mw
        self._planes: dict[str, list[PlaneTruth]] = {name: [] for name in self._powers_mw}
        levels = self._microscope.detector.max_counts + 1
        self._pixels = {name: np.zeros(levels, np.int64) for name in self._powers_mw}

    def add(self, index: int, exposures: Mapping[str, Exposure]) -> None:
        """Record one plane of every protocol."""
        for name, (counts, expected) in exposures.items():
            power_mw = float(self._powers_mw[name][index])
            self._planes[name].append(self._plane(index, power_mw, counts, expected))
            self._pixels[name] += np.bincount(counts.ravel(), minlength=len(self._pixels[name]))

    def _plane(
        self, index: int, power_mw: float, counts: Counts, expected: FloatArray
    ) -> PlaneTruth:
        """Return the true values of one exposure."""
        detector, depth_um = self._microscope.detector, float(self._preset.depths_um[index])
        light_counts = float(expected.mean(dtype=np.float64)) - detector.offset_counts
        electrons = max(light_counts / detector.gain_counts, detector.dark_photons)
        mean_photons = electrons - detector.dark_photons
        low_counts, high_counts = np.percentile(counts, PERCENTILES).tolist()
        photon_noise = detector.gain_counts * np.sqrt(detector.excess_factor * electrons)
        noise_counts = float(detector.noise_counts(mean_photons))
        return PlaneTruth(
            plane=index,
            depth_um=depth_um,
            power_mw=power_mw,
            full_photons=float(self._microscope.optics.signal(power_mw, depth_um)),
            mean_photons=mean_photons,
            photon_noise_counts=float(photon_noise),
            amplifier_noise_counts=detector.amplifier_counts,
            snr=detector.gain_counts * mean_photons / noise_counts,
            contrast_counts=float(expected.std(dtype=np.float64)),
            saturated_fraction=float(np.mean(counts >= detector.max_counts)),
            by_plane=Strengths.of(detector, low_counts, high_counts, mean_photons),
        )

    def _by_stack(self, protocol: str) -> Strengths:
        """Strengths when a protocol's whole stack is normalised together."""
        mean_photons = float(np.mean([plane.mean_photons for plane in self._planes[protocol]]))
        pixels = self._pixels[protocol]
        share = np.cumsum(pixels) / pixels.sum()
        low, high = np.searchsorted(share, np.array(PERCENTILES) / 100).tolist()
        return Strengths.of(self._microscope.detector, float(low), float(high), mean_photons)

    def rows(self) -> list[dict[str, Any]]:
        """One flat row per protocol and plane, for the CSV."""
        rows = []
        for protocol, planes in self._planes.items():
            by_stack = _columns(self._by_stack(protocol), "stack")
            for plane in planes:
                row = _rounded(asdict(plane))
                del row["by_plane"]
                row |= _columns(plane.by_plane, "plane") | by_stack
                rows.append({"protocol": protocol, **row})
        return rows

    def document(self, seed: int) -> dict[str, Any]:
        """All true values and settings of the pair, as plain JSON."""
        preset, microscope = self._preset, self._microscope
        return {
            "schema": 1,
            "preset": preset.name,
            "seed": seed,
            "z_step_um": preset.z_step_um,
            "pixel_um": microscope.phantom.pixel_um,
            "fixed_mw": preset.fixed_mw,
            "gained": {**asdict(preset.gained), "cap_depth_um": preset.cap_depth_um},
            "phantom": asdict(microscope.phantom),
            "optics": asdict(microscope.optics),
            "detector": asdict(microscope.detector),
            "percentiles": list(PERCENTILES),
            "protocols": {
                name: {
                    "by_stack": _rounded(asdict(self._by_stack(name))),
                    "planes": [_rounded(asdict(plane)) for plane in planes],
                }
                for name, planes in self._planes.items()
            },
        }


def _columns(strengths: Strengths, normalised_by: str) -> dict[str, float]:
    """Strengths as columns whose names state the normalisation."""
    rounded = _rounded(asdict(strengths))
    return {f"{name}_by_{normalised_by}": value for name, value in rounded.items()}


def _rounded(value: Any) -> Any:
    """Floats rounded to seven digits, enough for any test and easier to read."""
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return float(f"{value:.7g}") if isinstance(value, float) else value
