"""How often do the tests call a stack without any trend significant at 0.05?

    python benchmarks/false_positives.py

Planes are an AR(1) process without trend. Given are the shares of p < 0.05 for the slope of one
stack (this package's test and that of ordinary least squares) and for the difference of two.
"""

from __future__ import annotations

import numpy as np
from record import record
from scipy.signal import lfilter

from cop_core.depth import DepthProfile, PlaneEstimate, compare, fit_slope

STACKS = 300
DIFFERENCES = 150


def errors(n: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    """Return n planes of a stationary AR(1) process of SD 1."""
    e = rng.standard_normal(n)
    e[1:] *= np.sqrt(1 - rho**2)
    return lfilter([1], [1, -rho], e)


def as_profile(name: str, values: np.ndarray) -> DepthProfile:
    """Return a profile with one noise of the given values, in hundredths around 0.3."""
    planes = []
    for i, value in enumerate(0.3 + 0.01 * values):
        mean = np.array([value, 1 - value])
        planes.append(PlaneEstimate(i, 4.0 * i, np.nan, mean, 0 * mean, 1, 1.0))
    return DepthProfile(name, ("poisson", "clean"), tuple(planes))


def rates(n: int, rho: float, rng: np.random.Generator) -> dict[str, float]:
    """Return shares of p < 0.05 for n planes of correlation rho."""
    depth = 4.0 * np.arange(n)
    fits = [fit_slope(depth, errors(n, rho, rng)) for _ in range(STACKS)]
    effects = [
        compare(
            as_profile("a", errors(n, rho, rng)),
            as_profile("b", errors(n, rho, rng)),
            n_bootstrap=2,
        ).of("poisson")
        for _ in range(DIFFERENCES)
    ]
    return {
        "slope": float(np.mean([f.p_value < 0.05 for f in fits])),
        "slope, ordinary": float(np.mean([f.p_value_ols < 0.05 for f in fits])),
        "difference": float(np.mean([e.p_value_ar1 < 0.05 for e in effects])),
        "difference, naive": float(np.mean([e.p_value_naive < 0.05 for e in effects])),
    }


def main(seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    measured = {}
    for n in (40, 100, 326):
        for rho in (0.0, 0.5, 0.8, 0.9):
            measured[f"{n} planes, rho {rho}"] = found = rates(n, rho, rng)
            print(n, rho, found, flush=True)
    print(record("false_positives", measured, seed=seed, stacks=STACKS, differences=DIFFERENCES))


if __name__ == "__main__":
    main()
