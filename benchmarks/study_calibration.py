"""Do studies of several animals have the stated error rates? Animals drawn from simulated ones.

    python benchmarks/study_calibration.py [--replicates 1000]

A study of three, four or six animals per arm is drawn from the tissues of
results/plane_readings.csv.gz (tissue_readings.py), which differ as simulated tissue does: in
vessels, cells and layers, not in attenuation or label. Either each animal is imaged under both
protocols, or each arm has its own. The expected difference is that of all animals with the depths
of the study: over other depths a curve with a bend has another slope.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from plane_readings import load_table, profile_in
from rates import Rates, show
from record import record

from cop_core.reading import load_estimator
from cop_core.records import ArmsComparison, ComponentDifference, DepthProfile, UsableDepth
from cop_core.statistics import arms, compare_arms

ANIMALS = (3, 4, 6)
ARMS = {"one power": ("again", "gained"), "fixed and gained": ("fixed", "gained")}
WRONG_MOST = (0.0, 0.05)
Stacks = dict[str, list[DepthProfile]]


@dataclass(frozen=True)
class Study:
    """How studies are drawn.

    Attributes
    ----------
    names : (str, str)
        Stacks in the table, of the first and the second arm.
    n : int
        Animals per arm.
    paired : bool
        Whether they are the same animals in both.
    """

    names: tuple[str, str]
    n: int
    paired: bool

    def drawn(self, stacks: Stacks, rng: np.random.Generator) -> ArmsComparison:
        """Return the comparison of arms whose animals are drawn without replacement."""
        available = len(stacks["gained"])
        chosen = rng.choice(available, self.n if self.paired else 2 * self.n, replace=False)
        owners = [chosen[: self.n], chosen[-self.n :]]
        first, second = (
            [stacks[name][i] for i in each] for name, each in zip(self.names, owners, strict=True)
        )
        return compare_arms(first, second, animals=(owners[0].tolist(), owners[1].tolist()))


class Remembered(DepthProfile):
    """A profile whose arrays are computed once: it is used in many studies."""

    depth_um = cached_property(vars(DepthProfile)["depth_um"].fget)
    kept = cached_property(vars(DepthProfile)["kept"].fget)
    mean = cached_property(vars(DepthProfile)["mean"].fget)
    uncertainty = cached_property(vars(DepthProfile)["uncertainty"].fget)

    @classmethod
    def remembering(cls, made: DepthProfile) -> Remembered:
        return cls(made.name, made.components, made.planes, provenance=made.provenance)


def stacks_of(table: pd.DataFrame) -> Stacks:
    """Return the profiles of all animals, by name of the stack."""
    rows = table[table.tissue > 0]
    return {
        name: [
            Remembered.remembering(profile_in(each, f"{name} {seed}"))
            for seed, each in of_name.groupby("tissue")
        ]
        for name, of_name in rows.groupby("protocol")
    }


class Expected:
    """Differences of all animals, over any depths."""

    def __init__(self, names: tuple[str, str], stacks: Stacks) -> None:
        self._arms = [stacks[name] for name in names]
        self._known: dict[tuple[float, float], ArmsComparison] = {}

    def over(self, window_um: tuple[float, float]) -> ArmsComparison:
        """Return the comparison of the animals whose stacks have the depths of a window."""
        if window_um not in self._known:
            pairs = enumerate(zip(*self._arms, strict=True))
            owners = [i for i, pair in pairs if all(keeps(p, window_um) for p in pair)]
            chosen = ([arm[i] for i in owners] for arm in self._arms)
            found = compare_arms(*chosen, animals=(owners, owners), window_um=window_um)
            self._known[window_um] = found
        return self._known[window_um]


def keeps(profile: DepthProfile, window_um: tuple[float, float]) -> bool:
    """Return whether the planes at both ends of a window are kept: it is then unchanged."""
    return {*window_um} <= {*profile.depth_um[profile.kept]}


def judge(
    study: Study, found: ArmsComparison, whole: ArmsComparison, expected: Expected, rates: Rates
) -> None:
    """Count the calls of a study and the coverage of its intervals."""
    differs = "" if study.names[0] == "again" else "poisson"
    rates.add(
        "called wrongly", any(e.difference.called for e in found.effects if e.component != differs)
    )
    over = expected.over(found.window_um).of("poisson").difference
    judge_poisson(found.of("poisson").difference, over, rates)
    low, high = found.level.ci95_um
    rates.add("level depths differ", found.level.p_value < 0.05)
    rates.add("level covered", low <= whole.level.difference_um <= high)


def judge_poisson(found: ComponentDifference, expected: ComponentDifference, rates: Rates) -> None:
    rates.add("Poisson called", found.called)
    rates.add("Poisson slope p below .05", found.p_value < 0.05)
    low, high = found.slope_difference_ci95
    rates.add("slope covered", low <= expected.slope_difference_per_um <= high)
    low, high = found.mean_difference_ci95
    rates.add("mean covered", low <= expected.mean_difference <= high)


def measure(study: Study, stacks: Stacks, replicates: int, name: str) -> dict[str, Any]:
    """Return the rates over drawn studies, and the differences of all animals."""
    everyone = [*range(len(stacks["gained"]))]
    whole = compare_arms(*(stacks[n] for n in study.names), animals=(everyone, everyone))
    expected, rates = Expected(study.names, stacks), Rates()
    for replicate in range(replicates):
        rng = np.random.default_rng((zlib.crc32(name.encode()), replicate))
        judge(study, study.drawn(stacks, rng), whole, expected, rates)
    poisson = whole.of("poisson").difference
    per_100_um = 100 * poisson.slope_difference_per_um
    sd = 100 * poisson.se * len(everyone) ** 0.5
    found = {
        "rates": rates.document({"called wrongly": WRONG_MOST}),
        "figures": {"Poisson slope difference per 100 um": per_100_um, "its SD over animals": sd},
    }
    show(name, found)
    return found


def remembered(usable: Any) -> Any:
    """Return a function that computes a stack's usable depth once: it is used in many studies."""
    known: dict[str, UsableDepth] = {}

    def once(profile: DepthProfile, level: float) -> UsableDepth:
        if profile.name not in known:
            known[profile.name] = usable(profile, level)
        return known[profile.name]

    return once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=1000)
    replicates = parser.parse_args().replicates
    arms.usable_depth = remembered(arms.usable_depth)
    stacks = stacks_of(load_table())
    measured = {
        name: measure(Study(pair, n, paired), stacks, replicates, name)
        for what, pair in ARMS.items()
        for paired in (True, False)
        for n in ANIMALS
        for name in [f"{what}, {n} animals{' under both' if paired else ' an arm'}"]
    }
    animals = len(stacks["gained"])
    estimator = load_estimator("default")
    print(record("study_calibration", measured, estimator, replicates=replicates, animals=animals))


if __name__ == "__main__":
    main()
