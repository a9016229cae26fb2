"""Amplifier noise beside strong shot noise: is it read, and does its uncertainty cover the truth?

    python benchmarks/amplifier_noise.py [WEIGHTS.safetensors]

Planes of simulated tissue, at twelve depths of three tissues. Shot noise is 10 to 60 % of the
plane's range; amplifier noise ranges from almost none to three times the photon noise at the
plane's mean. Planes are normalised by percentiles, with the detector's zero given and not. Reported
are the error of the strengths, and how often the stated 90 % interval contains the truth.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from record import record

from cop_core.components import SDS_OF_90
from cop_core.reading import load_estimator
from cop_core.records.crop_grid import CROP
from cop_core.simulator import Detector
from cop_core.simulator.protocols import Preset
from cop_core.simulator.truth import PERCENTILES, Strengths

SEEDS = (0, 1, 2)
EVERY = 5
"""Depths of the planes of a tissue."""
SHOT = (0.1, 0.6)
AMPLIFIER = (0.0, 0.3, 1.0, 2.5)
"""SD of the amplifier in SDs of the photon noise at the mean, each varied by 30 %."""
TUBE = Detector(gain_counts=6.0, offset_counts=300.0, bits=16)
BANDS = (0.1, 0.2, 0.3, 0.6)


@dataclass(frozen=True)
class Plane:
    """A crop of a plane, normalised, and the true strengths on that scale."""

    crop: np.ndarray
    truth: Strengths
    zero_given: bool


def planes(seed: int) -> Iterator[Plane]:
    """Yield planes of one tissue, each normalised with and without the detector's zero."""
    preset = Preset.of("sample").seeded(seed)
    rng = np.random.default_rng((3, seed))
    for depth_um in preset.depths_um[::EVERY]:
        concentration = preset.microscope.concentration(float(depth_um))
        span = np.ptp(np.percentile(concentration, PERCENTILES))
        for ratio in AMPLIFIER:
            shot = np.exp(rng.uniform(*np.log(SHOT)))
            photons = concentration * np.float32(4 * TUBE.excess_factor / shot**2 / span)
            noise = ratio * rng.uniform(0.7, 1.3) * photon_noise(float(photons.mean()))
            detector = replace(TUBE, amplifier_counts=max(noise, 0.3))
            counts = detector.read(photons, rng).astype(np.float32)
            bottom, top = np.percentile(counts, PERCENTILES)
            for zero_given in (False, True):
                low = TUBE.offset_counts if zero_given else bottom
                truth = Strengths.of(detector, float(low), float(top), float(photons.mean()))
                crop = ((counts - low) / (top - low)).clip(0, 1)[:CROP, :CROP]
                yield Plane(crop, truth, zero_given)


def photon_noise(mean_photons: float) -> float:
    """Return the SD of photon noise in counts."""
    return TUBE.gain_counts * np.sqrt(TUBE.excess_factor * mean_photons)


def main(weights: str = "default") -> None:
    estimator = load_estimator(weights)
    looked_at = [plane for seed in SEEDS for plane in planes(seed)]
    read = estimator.read(np.stack([plane.crop for plane in looked_at]))
    table = pd.DataFrame({"zero given": [plane.zero_given for plane in looked_at]})
    for name in ("gaussian", "poisson", "quantization"):
        true = np.array([getattr(plane.truth, name) for plane in looked_at])
        column = estimator.components.index(name)
        sd = read.uncertainty[:, column]
        table[f"{name} true"] = true
        table[f"{name} squared error"] = (read.strengths[:, column] - true) ** 2
        table[f"{name} SD"] = sd
        table[f"{name} covered"] = table[f"{name} squared error"] <= (SDS_OF_90 * sd) ** 2
    shot = pd.cut(table["poisson true"], BANDS)
    measured = {}
    for (zero_given, band), rows in table.groupby([table["zero given"], shot], observed=True):
        low, high = (getattr(band, side) for side in ("left", "right"))
        where = f"shot noise {low:g} to {high:g}" + ", zero given" * bool(zero_given)
        measured[where] = {"planes": len(rows)} | rows.drop(columns="zero given").mean().to_dict()
    print(pd.DataFrame(measured).T.round(3).to_string())
    print(record("amplifier_noise", measured, estimator, seeds=SEEDS, amplifier=AMPLIFIER))


if __name__ == "__main__":
    main(*sys.argv[1:])
