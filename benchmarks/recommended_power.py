"""Does the recommended power hold what it says, and at what cost in light?

    python benchmarks/recommended_power.py

A simulated stack is taken at a first power, a power is recommended from it, and the same tissue is
imaged again at that power, with new noise. Flatness is measured on the planes above the cap.
The true signal is the simulator's mean photons of a fluorophore of concentration 1; the measured
one and the strengths vary with the tissue from plane to plane, so their trend is the mean over
five planes, 100 um. The exponential law at equal noise is judged by its true signal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from record import record

import cop_core as cop
from cop_core.power import bright_signal
from cop_core.simulation import PRESETS, Microscope, Optics, simulate
from cop_core.stacks import GainedPower, Stack

SEEDS = (0, 1)
MAX_MW = 60.0
LEVEL = 0.15
SAMPLE = PRESETS["sample"]
DEPTH_UM = np.arange(52) * 20.0
TREND = 5  # planes


def take(microscope: Microscope, power_mw: np.ndarray, seed: int) -> Stack:
    """Return a stack of the microscope's tissue."""
    planes = simulate(
        microscope.phantom, microscope.optics, microscope.detector, power_mw, DEPTH_UM, seed=seed
    )
    counts = np.stack([plane for plane, _ in planes])
    return cop.open_stack(counts, z_step_um=20.0, power=power_mw)


def zero_of(microscope: Microscope) -> float:
    """Return the counts without light."""
    detector = microscope.detector
    return detector.offset_counts + detector.gain_counts * detector.dark_photons


def spread(values: np.ndarray) -> dict[str, float]:
    """Return how far planes and their trend stray from the median, as shares of it."""
    ratio = values / np.median(values)
    trend = np.convolve(ratio, np.full(TREND, 1 / TREND), "valid")
    return {
        "sd of planes": float(ratio.std()),
        "largest deviation of the trend": float(np.abs(trend - 1).max()),
    }


def signal_case(microscope: Microscope, first_mw: np.ndarray, seed: int) -> dict[str, Any]:
    """Hold the signal, and set it against the exponential law at equal noise."""
    zero = zero_of(microscope)
    found = cop.recommend_power(
        take(microscope, first_mw, seed), max_power_mw=MAX_MW, offset_counts=zero
    )
    held = ~found.capped
    true = microscope.optics.signal(found.power_mw, DEPTH_UM)[held]
    again = bright_signal(take(microscope, found.power_mw, seed + 100)).bright_counts - zero
    energy = found.energy
    law = GainedPower(energy.exponential_p0_mw, energy.exponential_length_um, MAX_MW).at(DEPTH_UM)
    other = microscope.optics.signal(law, DEPTH_UM)[held]
    return {
        "layers": [
            {"length_um": layer.length_um, "ci95_um": layer.length_ci95_um}
            for layer in found.attenuation.layers
        ],
        "cap depth in um": found.cap_depth_um,
        "planes above the cap": int(held.sum()),
        "true signal, largest deviation": float(np.abs(true / np.median(true) - 1).max()),
        "measured signal": spread(again[held]),
        "lowest true signal, recommended over exponential": float(true.min() / other.min()),
        "energy saved on the exponential law": energy.saving_on_exponential,
        "energy saved on fixed power": energy.saving_on_fixed,
        "no saving said": any("no energy is saved" in note for note in found.notes),
        "largest power in mW": float(found.power_mw.max()),
    }


def true_strength(microscope: Microscope, stack: Stack) -> np.ndarray:
    """Return the Poisson strength that a plane has by its own range and the detector."""
    detector = microscope.detector
    low, high = np.percentile([stack.plane(i).data for i in range(len(stack))], (0.1, 99.9), (1, 2))
    return 2 * np.sqrt(detector.excess_factor * detector.gain_counts / (high - low))


def poisson_case(microscope: Microscope, estimator: cop.Estimator, seed: int) -> dict[str, Any]:
    """Hold the Poisson strength that the network reads."""
    first = take(microscope, GainedPower(5.0, 300.0, MAX_MW).at(DEPTH_UM), seed)
    found = cop.recommend_power(
        first, max_power_mw=MAX_MW, offset_counts=zero_of(microscope), hold="poisson",
        level=LEVEL, estimator=estimator,
    )  # fmt: skip
    held = ~found.capped
    again = take(microscope, found.power_mw, seed + 100)
    read = cop.profile(again, estimator=estimator).of("poisson")[held]
    read = read[np.isfinite(read)]
    return {
        "cap depth in um": found.cap_depth_um,
        "planes above the cap": int(held.sum()),
        "drift said": found.held.drift,
        "read, median": float(np.median(read)),
        "read": spread(read),
        "true": spread(true_strength(microscope, again)[held]),
        "energy saved on the exponential law": found.energy.saving_on_exponential,
    }


def main() -> None:
    estimator = cop.load_estimator("default")
    measured: dict[str, Any] = {}
    low = GainedPower(1.0, 300.0, MAX_MW).at(DEPTH_UM)
    fixed = np.full(len(DEPTH_UM), 5.0)
    gained = GainedPower(5.0, 300.0, MAX_MW).at(DEPTH_UM)
    for seed in SEEDS:
        base = replace(SAMPLE.microscope, phantom=replace(SAMPLE.microscope.phantom, seed=seed))
        # bright label: 1 mW at the surface suffices, and the cap lies below the white matter
        bright = replace(base, optics=replace(base.optics, reference_mw=1.0))
        dim = replace(base, optics=Optics(photons=120.0))
        cases = {
            "signal, from fixed power": signal_case(base, fixed, seed),
            "signal, from gained power": signal_case(base, gained, seed),
            "signal, through white matter": signal_case(bright, low, seed),
            "poisson": poisson_case(dim, estimator, seed),
        }
        print(seed, cases, flush=True)
        measured |= {f"{name}, seed {seed}": case for name, case in cases.items()}
    print(record("recommended_power", measured, estimator, seeds=SEEDS, max_mw=MAX_MW, level=LEVEL))


if __name__ == "__main__":
    main()
