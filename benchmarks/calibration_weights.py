"""Does a slope gain by weighting planes by their stated uncertainty?

    python benchmarks/calibration_weights.py [CASES]

Stacks of 60 planes with a known mean: an AR(1) process of SD 1 around it (the tissue, tau), and an
independent error of reading whose SD grows from the first plane to the last, as stated (sd). The
slope of ordinary least squares with its interval is held against one weighted by
1 / (tau^2 + sd^2), its interval by the same method on planes divided by that SD. Truth is the slope
of the best straight line through the mean at all planes, what the reader takes a slope to be.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from calibration import STEP_UM, covers, noise
from numpy.polynomial.legendre import legvander
from record import record

from cop_core.statistics import autocorrelation, fit_slope
from cop_core.statistics.slope import t_interval
from cop_core.statistics.smooth_curve import curve_dof, raised

SETTINGS = {"planes": 60, "rise_sd": 3.0, "seed": 2}
RHOS = (0.0, 0.5, 0.8, 0.9)
SDS = {"alike": (1.0, 1.0), "growing 4 times": (0.5, 2.0), "growing 16 times": (0.25, 4.0)}
DEGREE = 3

Slope = tuple[float, tuple[float, float]]


def residual(design: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(values - design @ np.linalg.lstsq(design, values, rcond=None)[0])


def weighted_slope(depth: np.ndarray, values: np.ndarray, sd: np.ndarray) -> Slope:
    """Return the slope weighted by 1 / (tau^2 + sd^2), and its 95 % interval."""
    n, gap = len(depth), autocorrelation.gaps(depth)
    basis = legvander(2 * depth / depth[-1] - 1, DEGREE)
    left = residual(basis, values)
    tau2 = max(left @ left / (n - DEGREE - 1) - (sd**2).mean(), 0.0)
    scale = np.sqrt(tau2 + sd**2)
    rho = raised(
        autocorrelation.estimate_rho(basis / scale[:, None], values / scale, gap), DEGREE, n
    )
    white = autocorrelation.whiten(np.column_stack([basis, values]) / scale[:, None], rho, gap)
    rest = residual(white[:, :-1], white[:, -1])
    variance = rest @ rest / (n - DEGREE - 1)
    weights = scale**-2.0
    centred = weights * (depth - weights @ depth / weights.sum())
    share = centred / (centred @ depth)
    se = np.sqrt(variance * autocorrelation.quadratic_form(share * scale, rho, gap))
    dof = curve_dof(n * (1 - rho) / (1 + rho), DEGREE)
    return float(share @ values), t_interval(float(share @ values), float(se), dof)


def cell(mean: np.ndarray, rho: float, ends: tuple[float, float], cases: int) -> dict[str, Any]:
    """Return SD and bias (in SDs of the ordinary slope) of both slopes, and their coverage."""
    n = len(mean)
    depth, sd = np.arange(n) * STEP_UM, np.geomspace(*ends, n)
    centred = depth - depth.mean()
    truth = float(centred @ mean / (centred @ centred))
    rng = np.random.default_rng([SETTINGS["seed"], int(100 * rho), int(100 * ends[0])])
    rows = mean + noise(rng, cases, n, rho) + sd * rng.standard_normal((cases, n))
    fits = [fit_slope(depth, row) for row in rows]
    found: dict[str, list[Slope]] = {
        "ordinary": [(fit.slope_per_um, fit.slope_ci95) for fit in fits],
        "weighted": [weighted_slope(depth, row, sd) for row in rows],
    }
    unit = float(np.std([slope for slope, _ in found["ordinary"]]))
    return {
        name: {
            "SD": round(float(np.std([slope for slope, _ in slopes])) / unit, 3),
            "bias": round(float(np.mean([slope for slope, _ in slopes]) - truth) / unit, 3),
            "coverage": round(float(np.mean([covers(ci, truth) for _, ci in slopes])), 4),
        }
        for name, slopes in found.items()
    }


def main(cases: int = 300) -> None:
    u = np.linspace(0, 1, SETTINGS["planes"])
    means = {
        "straight": SETTINGS["rise_sd"] * u,
        "rising ever faster": SETTINGS["rise_sd"] * np.expm1(2 * u) / np.expm1(2),
    }
    measured: dict[str, Any] = {"cases": cases}
    for shape, mean in means.items():
        for name, ends in SDS.items():
            for rho in RHOS:
                found = cell(mean, rho, ends, cases)
                measured.setdefault(shape, {})[f"sd {name}, rho {rho}"] = found
                print(shape, name, rho, found, flush=True)
    print(record("calibration_weights", measured, **SETTINGS))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
