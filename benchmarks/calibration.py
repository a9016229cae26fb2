"""How often are the depth statistics wrong, on planes whose truth is known?

    python benchmarks/calibration.py [ROUNDS]

Stacks with AR(1) planes are drawn for several lengths and correlations: without any effect (false
positives at 0.05), with a stack that rises ever faster against a flat one (coverage of 95 %
intervals, power), with a bend (coverage of the break's depth), and with arms of several stacks.
Every share stands with the number of cases behind it; a round, half a minute on one core, adds some
to every cell. No constant of the statistics was chosen on these draws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from record import record
from scipy.signal import lfilter
from threadpoolctl import threadpool_limits

from cop_core.statistics import equivalence_p, fit_break, fit_mixed, fit_slope
from cop_core.statistics.effect_intervals import effect_intervals
from cop_core.statistics.slope_difference import (
    Series,
    SlopeDifference,
    ar1_difference,
    bootstrap_difference,
    naive_interaction,
    paired_difference,
)

PLANES = (40, 100, 326)
RHOS = (0.0, 0.5, 0.8, 0.9)
SETTINGS = {
    "null_pairs": 100,
    "effect_pairs": 25,
    "arms": 8,
    "stacks_an_arm": 4,
    "bootstrap_samples": 200,
    "rise_sd": 3.0,
    "bend_sd": 6.0,
    "bend_at": 0.6,
    "margin_sd": 2.0,
    "seed": 1,
}
"""Cases are for a round and cell; effects in SDs of the noise, from first plane to last."""

STEP_UM = 4.0
Hits = dict[str, list[bool]]
Cell = dict[str, dict[str, float]]
Way = Callable[[Series, Series], SlopeDifference]

WAYS: dict[str, Way] = {
    "ar1 (default)": lambda a, b: ar1_difference(fit_slope(*a), fit_slope(*b)),
    "paired": paired_difference,
    "bootstrap": partial(bootstrap_difference, n_samples=SETTINGS["bootstrap_samples"], seed=0),
}


def noise(rng: np.random.Generator, stacks: int, n: int, rho: float) -> np.ndarray:
    """Return AR(1) rows of variance 1, shape (stacks, n)."""
    rows = lfilter([1], [1, -rho], rng.standard_normal((stacks, n + 300)), axis=1)[:, 300:]
    return np.asarray(rows * np.sqrt(1 - rho**2))


def covers(interval: tuple[float, float], truth: float) -> bool:
    return bool(interval[0] <= truth <= interval[1])


def null_case(rng: np.random.Generator, n: int, rho: float) -> Hits:
    """Return whether stacks without any effect are called significant."""
    depth = np.arange(n) * STEP_UM
    margin = SETTINGS["margin_sd"] / np.ptp(depth)
    a, b = ((depth, row) for row in noise(rng, 2, n, rho))
    fits = fit_slope(*a), fit_slope(*b)
    flat = [(f.slope_per_um, f.se, f.dof) for f in fits]
    return {
        "one slope, ar1": [f.p_value < 0.05 for f in fits],
        "one slope, naive": [f.p_value_ols < 0.05 for f in fits],
        "difference, ar1 (default)": [ar1_difference(*fits).p_value < 0.05],
        "difference, paired": [paired_difference(a, b).p_value < 0.05],
        "difference, naive": [naive_interaction(a, b)[0] < 0.05],
        "curved": [f.p_curved < 0.05 for f in fits],
        "slope at the margin called smaller": [
            equivalence_p(slope + margin, se, dof, margin) < 0.05 for slope, se, dof in flat
        ],
        "no slope called smaller than the margin (power)": [
            equivalence_p(slope, se, dof, margin) < 0.05 for slope, se, dof in flat
        ],
    }


def effect_case(rng: np.random.Generator, n: int, rho: float) -> Hits:
    """Return whether intervals cover and tests find, for a rising against a flat stack."""
    depth, u = np.arange(n) * STEP_UM, np.linspace(0, 1, n)
    rise = SETTINGS["rise_sd"] * np.expm1(2 * u) / np.expm1(2)
    slope, d, f2 = truth(depth, rise)
    rows = noise(rng, 2, n, rho)
    a, b = (depth, rows[0] + rise), (depth, rows[1])
    sizes = effect_intervals(a, b, n_samples=SETTINGS["bootstrap_samples"], seed=0)
    fit = fit_slope(*a)
    found: Hits = {
        "slope": [covers(fit.slope_ci95, slope)],
        "slope, naive": [covers(fit.ci95_ols, slope)],
        "d": [covers(sizes[0], d)],
        "f2": [covers(sizes[1], f2)],
        "power, naive": [naive_interaction(a, b)[0] < 0.05],
    }
    for name, way in WAYS.items():
        difference = way(a, b)
        found[f"difference, {name}"] = [covers(difference.ci95, slope)]
        found[f"power, {name}"] = [difference.p_value < 0.05]
    flat = WAYS["bootstrap"]((depth, rows[0]), b)
    found["false positive, bootstrap"] = [flat.p_value < 0.05]
    return found | bend_case(rng, n, rho)


def bend_case(rng: np.random.Generator, n: int, rho: float) -> Hits:
    """Return whether the interval of a break covers it, and whether breaks are found."""
    depth, u, at = np.arange(n) * STEP_UM, np.linspace(0, 1, n), SETTINGS["bend_at"]
    (row,) = noise(rng, 1, n, rho)
    fit = fit_break(depth, row + SETTINGS["bend_sd"] * np.maximum(u - at, 0) / (1 - at))
    return {
        "break": [covers(fit.ci95_um, at * np.ptp(depth))],
        "power, break": [fit.p_value < 0.05],
        "false positive, break": [fit_break(depth, row).p_value < 0.05],
    }


def truth(depth: np.ndarray, rise: np.ndarray) -> tuple[float, float, float]:
    """Return slope difference, d and f2 of a rising against a flat stack, noise of variance 1."""
    n, centred = len(depth), depth - depth.mean()
    slope = float(centred @ rise / (centred @ centred))
    d = rise.mean() / np.sqrt(((n - 1) * rise.var(ddof=1) + 2 * n - 2) / (2 * n - 2))
    bent = rise - rise.mean() - slope * centred
    f2 = slope**2 * (centred @ centred) / 2 / (bent @ bent + 2 * n - 4)
    return slope, float(d), float(f2)


def arms_case(rng: np.random.Generator, rho: float, between: float) -> Hits:
    """Return false positives over arms of several stacks, each with a slope of its own."""
    n, k = 40, SETTINGS["stacks_an_arm"]
    depth, arm = np.arange(n) * STEP_UM, np.repeat([1.0, 0.0], k)
    tilt = between * rng.standard_normal((2 * k, 1)) * np.linspace(-1, 1, n)
    rows = noise(rng, 2 * k, n, rho) + tilt
    together = np.tile(depth, k)
    pooled = naive_interaction((together, rows[:k].ravel()), (together, rows[k:].ravel()))[0]
    return {
        "mixed model": [fit_mixed([(depth, row) for row in rows], arm).p_value < 0.05],
        "all planes independent": [pooled < 0.05],
    }


def cells() -> list[tuple[str, str, int, Callable[[np.random.Generator], Hits]]]:
    """Return kind, name, cases a round and how a case is made, of every cell."""
    found = []
    for n in PLANES:
        for rho in RHOS:
            name = f"{n} planes, rho {rho}"
            null, effect = partial(null_case, n=n, rho=rho), partial(effect_case, n=n, rho=rho)
            found.append(("null", name, SETTINGS["null_pairs"], null))
            found.append(("effect", name, SETTINGS["effect_pairs"], effect))
    for rho in (0.0, 0.9):
        name = f"rho {rho}, SD of the stacks' own rise 2"
        found.append(("arms", name, SETTINGS["arms"], partial(arms_case, rho=rho, between=1.0)))
    return found


def add(cell: Cell, hits: Hits) -> None:
    """Count a case in."""
    for name, values in hits.items():
        entry = cell.setdefault(name, {"share": 0.0, "hits": 0, "of": 0})
        entry["hits"] += sum(map(int, values))
        entry["of"] += len(values)
        entry["share"] = round(entry["hits"] / entry["of"], 4)


def count(place: int, rounds: int) -> Cell:
    """Return the counts of one cell."""
    _, name, cases, case = cells()[place]
    cell: Cell = {}
    for number in range(rounds):
        rng = np.random.default_rng([SETTINGS["seed"], number, place])
        for _ in range(cases):
            add(cell, case(rng))
    print(name, cell, flush=True)
    return cell


def main(rounds: int = 16) -> None:
    measured: dict[str, Any] = {"rounds": rounds}
    places = range(len(cells()))
    with ProcessPoolExecutor(initializer=threadpool_limits, initargs=(1,)) as pool:
        counted = pool.map(partial(count, rounds=rounds), places)
        for (kind, name, *_), cell in zip(cells(), counted, strict=True):
            measured.setdefault(kind, {})[name] = cell
    print(record("calibration", measured, **SETTINGS))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
