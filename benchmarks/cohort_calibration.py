"""Does a cohort name the settings that drive the noise, and none if none does?

    python benchmarks/cohort_calibration.py [--causes 100] [--null 200] [--pictures 200]

Cohorts of simulated cameras and multiphoton microscopes in turn, whose strengths are drawn without
pixels. With causes, the shares are compared with the exact Shapley values of the function that
gives the strengths. Without causes, the settings are those of other images. If one setting follows
another, both must be named.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from record import record
from statsmodels.stats.proportion import proportion_confint

from cop_core.cohort.attribution import NoiseTable, attribute
from cop_core.cohort.surrogate import Design
from cop_core.cohort.variables import confounded_in, factors_of, variables_of
from cop_core.components import DEFAULT_COMPONENTS
from cop_core.records import Attribution, CohortRow
from cop_core.simulator.cohort import MODELS, SimulatedCohort, simulate_cohort, without_causes

NOISES = DEFAULT_COMPONENTS[:-1]
PERMUTATIONS = 19
"""The fewest that give a p of 0.05: more make p finer, but not smaller if nothing is explained."""
FOLLOWING = {"camera": ("iso", "temperature_c"), "multiphoton": ("depth_um", "power_mw")}
N_FOLLOWING = 20


def rows_of(cohort: SimulatedCohort) -> list[CohortRow]:
    """Return the table of a cohort; its readings are certain."""
    n = len(cohort.strengths)
    settings = [
        {name: values[i].item() for name, values in cohort.settings.items()} for i in range(n)
    ]
    certain = np.full(len(DEFAULT_COMPONENTS), np.nan)
    return [
        CohortRow(f"{i}", 0, f"{i}", settings[i], cohort.strengths[i], certain) for i in range(n)
    ]


def attributed(cohort: SimulatedCohort, seed: int) -> tuple[Attribution, ...]:
    """Return the attributions of a cohort, without intervals."""
    rows = rows_of(cohort)
    variables, _ = variables_of(rows)
    design = Design.of(factors_of(variables, confounded_in(variables)), [r.group for r in rows])
    strengths = cohort.strengths[:, :-1]
    table = NoiseTable(NOISES, strengths, np.full_like(strengths, np.nan))
    return attribute(design, table, permutations=PERMUTATIONS, seed=seed, resamples=0)


def with_causes(n: int, pictures: int) -> dict[str, Any]:
    """Compare shares and leading causes with the truth, by instrument and noise."""
    found: dict[str, dict[str, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(n):
        model = MODELS[seed % len(MODELS)]
        cohort = simulate_cohort(model, pictures, seed)
        for each in attributed(cohort, seed):
            truth = cohort.shapley_shares(each.component)
            leading = max(truth, key=lambda name: truth[name])
            apart = [abs(share.share - truth[share.factor]) for share in each.shares]
            first = each.shares[0].factor if each.drawn else ""
            runs = found[model][each.component]
            runs.append((each.drawn, first == leading, apart, each.r2, each.r2_null95))
            if first != leading:
                print(
                    seed, model, each.component, first, {k: round(v, 3) for k, v in truth.items()}
                )
        print("with causes", seed, flush=True)
    return {
        model: {
            component: {
                "cohorts": len(runs),
                "attributed": sum(run[0] for run in runs),
                "leading cause first": sum(run[1] for run in runs),
                "shares off, points": 100 * float(np.mean([x for run in runs for x in run[2]])),
                "largest, points": 100 * float(np.max([x for run in runs for x in run[2]])),
                "r2": float(np.mean([run[3] for run in runs])),
                "smallest r2": float(np.min([run[3] for run in runs])),
                "largest r2 by chance": float(np.nanmax([run[4] for run in runs])),
            }
            for component, runs in noises.items()
        }
        for model, noises in found.items()
    }


def without(n: int, pictures: int) -> Iterator[dict[str, Any]]:
    """Yield, some fifty at a time, the number of cohorts without causes with any attribution."""
    drawn = significant = 0
    for seed in range(n):
        cohort = simulate_cohort(MODELS[seed % len(MODELS)], pictures, 10_000 + seed)
        each = attributed(without_causes(cohort, seed), seed)
        drawn += any(one.drawn for one in each)
        significant += any(one.p_value <= 0.05 for one in each)
        print("without", seed, drawn, significant, flush=True)
        if (done := seed + 1) % 50 == 0 or done == n:
            low, high = proportion_confint(drawn, done, method="beta")
            yield {
                "cohorts": done,
                "attributed": drawn,
                "p of 0.05 or less": significant,
                "rate": drawn / done,
                "ci95": [float(low), float(high)],
            }


def following(pictures: int) -> dict[str, Any]:
    """Return in how many cohorts a setting that follows another is named, and no other pair."""
    found = {}
    for model, pair in FOLLOWING.items():
        named = others = 0
        for seed in range(N_FOLLOWING):
            rng = np.random.default_rng(seed)
            plain = simulate_cohort(model, pictures, seed)
            first = plain.settings[pair[0]]
            ranks = np.argsort(np.argsort(first + rng.normal(0, 0.05 * np.std(first), pictures)))
            second = np.sort(plain.settings[pair[1]])[ranks]
            cohort = simulate_cohort(model, pictures, seed, {pair[1]: second})
            pairs = confounded_in(variables_of(rows_of(cohort))[0])
            named += any({each.first, each.second} == {*pair} for each in pairs)
            others += sum({each.first, each.second} != {*pair} for each in pairs)
        found[" and ".join(pair)] = {"cohorts": N_FOLLOWING, "named": named, "others": others}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--causes", type=int, default=100)
    parser.add_argument("--null", type=int, default=200)
    parser.add_argument("--pictures", type=int, default=200)
    asked = parser.parse_args()
    settings = {"pictures": asked.pictures, "permutations": PERMUTATIONS}
    measured = {"following": following(asked.pictures)}
    measured["with causes"] = with_causes(asked.causes, asked.pictures)
    for found in without(asked.null, asked.pictures):
        measured["without causes"] = found
        print(record("cohort_calibration", measured, **settings))


if __name__ == "__main__":
    main()
