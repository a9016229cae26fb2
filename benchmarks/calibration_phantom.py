"""The same from raw stacks to p values: the digital phantom, imaged twice and under two protocols.

    python benchmarks/calibration_phantom.py [TISSUES]

Each tissue (a seed of the sample preset, 60 planes of 256 x 256) is imaged at fixed power, once
more at fixed power, and at gained power, and all are read with the default weights. Without an
effect: the same tissue twice, and one tissue against the next. With one: fixed against gained. Also
whether weighting planes by their stated uncertainty makes slopes repeat better. Tissues are few,
as each takes 180 planes of reading; what is read so far is written after each.
"""

from __future__ import annotations

import sys

import numpy as np
from record import record

from cop_core.components import CLEAN
from cop_core.reading import Estimator, load_estimator, profile
from cop_core.records import Comparison, DepthProfile
from cop_core.simulator import PRESETS, simulate_pair
from cop_core.statistics import compare, fit_profile

SETTINGS = {"preset": "sample"}
WAYS = ("ar1", "paired", "naive")


def read(estimator: Estimator, seed: int) -> dict[str, DepthProfile]:
    """Image one tissue three times and read the stacks."""
    preset = PRESETS[SETTINGS["preset"]].seeded(seed)
    powers = {
        "fixed": preset.powers_mw["fixed"],
        "again": preset.powers_mw["fixed"],
        "gained": preset.powers_mw["gained"],
    }
    planes = list(simulate_pair(preset.microscope, powers, preset.depths_um, seed=seed))
    return {
        name: profile(
            np.stack([plane[name][0] for plane in planes]),
            estimator=estimator,
            z_step_um=preset.z_step_um,
            power=power,
            name=name,
        )
        for name, power in powers.items()
    }


def p_values(result: Comparison, paired: Comparison) -> dict[str, list[float]]:
    """Return p of every noise by each way."""
    noises = [e for e in result.effects if e.component != CLEAN]
    return {
        "ar1": [e.p_value_ar1 for e in noises],
        "naive": [e.p_value_naive for e in noises],
        "paired": [e.p_value for e in paired.effects if e.component != CLEAN],
    }


def shares(pairs: list[tuple[DepthProfile, DepthProfile]]) -> dict[str, object]:
    """Return the share of p below 0.05 over pairs and noises."""
    found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for pair in pairs:
        both = compare(*pair, n_bootstrap=1), compare(*pair, n_bootstrap=1, errors="paired")
        for way, values in p_values(*both).items():
            found[way].append(values)
    noises = [c for c in pairs[0][0].components if c != CLEAN]
    small = {way: np.array(values) < 0.05 for way, values in found.items()}  # (pairs, noises)
    return {
        "pairs": len(pairs),
        "tests": small["ar1"].size,
        **{way: round(float(hits.mean()), 4) for way, hits in small.items()},
        "by noise": {
            way: dict(zip(noises, (int(n) for n in hits.sum(0)), strict=True))
            for way, hits in small.items()
        },
    }


def weighted_slopes(found: DepthProfile, power: int) -> np.ndarray:
    """Return the slope of every component, planes weighted by uncertainty to a power."""
    kept = found.kept
    depth, values = found.depth_um[kept], found.mean[kept].T
    weights = found.uncertainty[kept].T ** (-float(power))
    return np.array(
        [np.polyfit(depth, y, 1, w=np.sqrt(w))[0] for y, w in zip(values, weights, strict=True)]
    )


def repeatability(tissues: list[dict[str, DepthProfile]]) -> dict[str, dict[str, float]]:
    """Return the SD of slopes (per 100 um) between two images of a tissue, and over tissues."""
    result = {}
    for name, power in (("planes count alike", 0), ("weighted by uncertainty", 2)):
        first, second = (
            np.array([weighted_slopes(t[key], power) for t in tissues])
            for key in ("fixed", "again")
        )
        result[name] = {
            "between images of one tissue": float(
                100 * np.sqrt(((first - second) ** 2).mean() / 2)
            ),
            "between tissues": float(100 * np.sqrt(first.var(axis=0, ddof=1).mean())),
        }
    return result


def main(count: int = 12) -> None:
    estimator = load_estimator("default")
    tissues = []
    for seed in range(count):
        tissues.append(read(estimator, seed))
        print("tissue", seed, flush=True)
        if len(tissues) > 2:
            summarise(tissues, estimator)


def summarise(tissues: list[dict[str, DepthProfile]], estimator: Estimator) -> None:
    """Write what the tissues read so far show."""
    rhos = [fit.rho for t in tissues for fit in fit_profile(t["fixed"]).values()]
    neighbours = zip(tissues, [*tissues[1:], tissues[0]], strict=True)
    measured = {
        "tissues": len(tissues),
        "correlation of neighbouring planes": {
            "median": float(np.nanmedian(rhos)),
            "largest": float(np.nanmax(rhos)),
        },
        "no effect, one tissue imaged twice": shares([(t["fixed"], t["again"]) for t in tissues]),
        "no effect, two tissues": shares([(a["fixed"], b["fixed"]) for a, b in neighbours]),
        "fixed against gained power": shares([(t["fixed"], t["gained"]) for t in tissues]),
        "SD of slopes per 100 um": repeatability(tissues),
    }
    print(measured)
    print(record("calibration_phantom", measured, estimator, **SETTINGS))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
