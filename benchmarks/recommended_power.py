"""Does the recommended power hold its level, and at what cost in energy?

    python benchmarks/recommended_power.py

A simulated stack is acquired at a first power, and a power is recommended from it. The same tissue
is imaged again at that power, with new noise, and so is another tissue. The power follows the
tissue or only the law. Flatness is measured on the planes above the cap: on all of them, and on
those within the depths of the first stack. The true signal is the simulator's mean photons of a
fluorophore of concentration 1; the measured one and the strengths vary with the tissue from plane
to plane, so their trend is the mean over five planes, 100 µm. Strengths are read in four
acquisitions to separate the noise of readings from remaining effects of the tissue.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from record import record

import cop_core as cop
from cop_core.power import bright_signal
from cop_core.recipes import GainedPower
from cop_core.recipes.power_options import FOLLOW_UM
from cop_core.simulator import PRESETS, Microscope, Optics
from cop_core.stacks import Stack

SEEDS = (0, 1, 2)  # FOLLOW_UM was chosen on 10 to 15
MAX_MW = 60.0
LEVEL = 0.15
SAMPLE = PRESETS["sample"]
DEPTH_UM = np.arange(52) * 20.0
TREND = 5  # planes
READINGS = 4
PROTOCOLS = {"": FOLLOW_UM, ", the law alone": 0.0}


@lru_cache(maxsize=2)
def tissue(microscope: Microscope) -> np.ndarray:
    """Return the concentration in every plane, shape (planes, height, width)."""
    return np.stack([microscope.concentration(depth_um) for depth_um in DEPTH_UM.tolist()])


def take(microscope: Microscope, power_mw: np.ndarray, seed: int) -> Stack:
    """Return a stack of the microscope's tissue, acquired as in `simulate`."""
    rows = zip(tissue(microscope), power_mw.tolist(), DEPTH_UM.tolist(), strict=True)
    planes = [
        microscope.expose(plane, power, depth, np.random.default_rng((seed, 0, index)))[0]
        for index, (plane, power, depth) in enumerate(rows)
    ]
    return cop.open_stack(np.stack(planes), z_step_um=20.0, power=power_mw)


def other(microscope: Microscope) -> Microscope:
    """Return the same microscope over another tissue."""
    phantom = replace(microscope.phantom, seed=microscope.phantom.seed + 500)
    return replace(microscope, phantom=phantom)


def zero_of(microscope: Microscope) -> float:
    """Return the counts without light."""
    detector = microscope.detector
    return detector.offset_counts + detector.gain_counts * detector.dark_photons


def spread(values: np.ndarray) -> dict[str, float]:
    """Return the deviations of planes and their trend from the median, as shares of it."""
    ratio = values / np.median(values)
    return {
        "sd of planes": float(ratio.std()),
        "largest deviation of the trend": float(np.abs(trend(ratio) - 1).max()),
    }


def trend(values: np.ndarray) -> np.ndarray:
    """Return the mean over five planes."""
    return np.convolve(values, np.full(TREND, 1 / TREND), "valid")


def deviation(values: np.ndarray) -> float:
    """Return the largest deviation from the median, as a share of it."""
    return float(np.abs(values / np.median(values) - 1).max())


def signal_case(
    microscope: Microscope, first: Stack, seed: int, follow_um: float
) -> dict[str, Any]:
    """Hold the signal, and compare with the exponential law at equal noise."""
    zero = zero_of(microscope)

    def bright(where: Microscope, power_mw: np.ndarray, noise: int) -> np.ndarray:
        return bright_signal(take(where, power_mw, noise)).bright_counts - zero

    found = cop.recommend_power(first, max_power_mw=MAX_MW, offset_counts=zero, follow_um=follow_um)
    held, inside = ~found.capped, ~found.capped & ~found.extrapolated
    true = microscope.optics.signal(found.power_mw, DEPTH_UM)
    energy = found.energy
    law = GainedPower(energy.exponential_p0, energy.exponential_length_um, MAX_MW).at(DEPTH_UM)
    again = bright(microscope, found.power_mw, seed + 100)
    by_law = bright(microscope, law, seed + 200)
    elsewhere = bright(other(microscope), found.power_mw, seed + 300)
    # at this share of the law's power its dimmest 100 µm equal those of the recommended power
    lowest = [float(np.nanmin(trend(values[held]))) for values in (again, by_law)]
    equal = (lowest[0] / lowest[1]) ** (1 / found.attenuation.order)
    return {
        "layers": [
            {"length_um": layer.length_um, "ci95_um": layer.length_ci95_um}
            for layer in found.attenuation.layers
        ],
        "cap depth in um": found.cap_depth_um,
        "planes above the cap": int(held.sum()),
        "of those within the measured depths": int(inside.sum()),
        "true signal, largest deviation": deviation(true[held]),
        "true signal, largest deviation within the measured depths": deviation(true[inside]),
        "measured signal": spread(again[held]),
        "measured signal within the measured depths": spread(again[inside]),
        "measured signal of another tissue": spread(elsewhere[held]),
        "energy saved on the exponential law": energy.saving_on_exponential,
        "the same, at equal lowest trend of the signal": (
            1 - energy.recommended / (energy.exponential * equal)
        ),
        "energy saved on fixed power": energy.saving_on_fixed,
        "no saving said": any("no energy is saved" in note for note in found.notes),
        "largest power in mW": float(found.power_mw.max()),
    }


def true_strength(microscope: Microscope, stack: Stack) -> np.ndarray:
    """Return the true Poisson strength of a plane from its range and the detector."""
    detector = microscope.detector
    low, high = np.percentile([stack.plane(i).data for i in range(len(stack))], (0.1, 99.9), (1, 2))
    return 2 * np.sqrt(detector.excess_factor * detector.gain_counts / (high - low))


def poisson_case(
    microscope: Microscope, first: cop.DepthProfile, estimator: cop.Estimator, seed: int,
    follow_um: float,
) -> dict[str, Any]:  # fmt: skip
    """Hold the Poisson strength that the network reads."""
    stack = take(microscope, first.power_mw, seed)
    found = cop.recommend_power(
        stack, max_power_mw=MAX_MW, offset_counts=zero_of(microscope), hold="poisson",
        level=LEVEL, profile=first, follow_um=follow_um,
    )  # fmt: skip
    held = ~found.capped
    stacks = [take(microscope, found.power_mw, seed + 100 * k) for k in range(1, READINGS + 1)]
    read = np.array([cop.profile(one, estimator=estimator).of("poisson")[held] for one in stacks])
    read = read[:, np.isfinite(read).all(axis=0)]
    mean = read.mean(axis=0)
    return {
        "cap depth in um": found.cap_depth_um,
        "planes above the cap": int(held.sum()),
        "drift said": found.held.drift,
        "read, median": float(np.median(mean)),
        "read": spread(read[0]),
        f"read, mean of {READINGS}": spread(mean),
        "noise of a reading, SD over mean": float((read.std(axis=0, ddof=1) / mean).mean()),
        "true": spread(true_strength(microscope, stacks[0])[held]),
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
        # bright label: 1 mW at the surface suffices, and the cap is below the white matter
        bright = replace(base, optics=replace(base.optics, reference_mw=1.0))
        dim = replace(base, optics=Optics(photons=120.0))
        firsts = {
            "signal, from fixed power": (base, fixed),
            "signal, from gained power": (base, gained),
            "signal, through white matter": (bright, low),
        }
        for name, (microscope, power_mw) in firsts.items():
            first = take(microscope, power_mw, seed)
            for how, follow_um in PROTOCOLS.items():
                case = signal_case(microscope, first, seed, follow_um)
                measured[f"{name}{how}, seed {seed}"] = case
        profile = cop.profile(take(dim, gained, seed), estimator=estimator)
        for how, follow_um in PROTOCOLS.items():
            case = poisson_case(dim, profile, estimator, seed, follow_um)
            measured[f"poisson{how}, seed {seed}"] = case
        print(seed, measured, flush=True)
    print(
        record(
            "recommended_power", measured, estimator, seeds=SEEDS, max_mw=MAX_MW, level=LEVEL,
            follow_um=FOLLOW_UM,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
