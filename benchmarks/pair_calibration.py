"""Do the statistics of a pair have the stated error rates? Replicates drawn from plane readings.

    python benchmarks/pair_calibration.py [--replicates 1000] [CASE ...]

Stacks are drawn from results/plane_readings.csv.gz (tissue_readings.py): the expected readings of a
tissue imaged many times plus errors of its images, or stacks of many tissues; others are realistic
curves, with errors that are independent or correlated in neighbouring planes. Calls and intervals
of `cop compare` are compared with the expected readings. A rate fails only if its 95 % binomial
interval is outside its limits. Finished cases are not drawn again while the code is the same.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from plane_readings import (
    ADDED,
    NOISES,
    doubts,
    load_table,
    means,
    profile_in,
    profile_of,
    truths,
)
from rates import Limits, Rates, show
from record import folder_of_parts, record
from scipy.signal import lfilter

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.reading import load_estimator
from cop_core.recipes import ComparisonOptions
from cop_core.records import (
    ComponentDifference,
    ComponentEffect,
    DepthProfile,
    SlopeFit,
    UsableDepth,
    UsableDifference,
)
from cop_core.statistics import cohen_d, compare
from cop_core.statistics.bend import find_bend
from cop_core.statistics.calls import called
from cop_core.statistics.contrast import mean_weights, slope_weights
from cop_core.statistics.local_smooth import half_width_um, local_lines, wide_enough
from cop_core.statistics.pair_effect import difference_of, pair_effect, paired_strengths
from cop_core.statistics.pairing import PairedPlanes, paired_planes
from cop_core.statistics.tissue_match import SAME_TISSUE
from cop_core.statistics.usable_depth import crossings
from cop_core.statistics.usable_difference import usable_depths

POISSON = DEFAULT_COMPONENTS.index("poisson")
LEVEL = ComparisonOptions().level
SAMPLES = 200
"""Bootstrap samples in a replicate, for the Poisson strength alone; an analysis takes 2000."""
NEAR_UM = 12.0
"""Readings of planes this close have the same error, whatever a few images show."""
LEAST_R2, MOST_R2 = 0.05, 0.999
"""Nearer to 0 only the upper limit of R2 is informative, nearer to 1 only the lower one."""
WRONG_MOST = (0.0, 0.05)
DIFFERS = {"fixed": "poisson", "capped": "poisson"} | ADDED
"""The true difference from the gained stack of the same tissue, by stack; none in the others."""
Draw = Callable[[np.random.Generator], "Pair"]


@dataclass(frozen=True)
class Pair:
    """A replicate: two stacks, and the expected readings that their intervals should cover.

    Attributes
    ----------
    depth_um : ndarray of shape (planes,)
    read, expected : tuple of two ndarrays of shape (planes, components)
        NaN in planes without signal; `expected` is None if only calls can be judged.
    doubt : tuple of two ndarrays of shape (planes, components)
    """

    depth_um: np.ndarray
    read: tuple[np.ndarray, np.ndarray]
    expected: tuple[np.ndarray, np.ndarray] | None
    doubt: tuple[np.ndarray, np.ndarray]

    def profiles(self) -> tuple[DepthProfile, DepthProfile]:
        first, second = (
            profile_of(name, self.depth_um, read, doubt)
            for name, read, doubt in zip(("fixed", "gained"), self.read, self.doubt, strict=True)
        )
        return first, second


@dataclass(frozen=True)
class Case:
    """A case to draw, and its expected findings.

    Attributes
    ----------
    differs : str
        Component that truly differs; a call of any other is a false call.
    power : float
        Share of replicates in which it should be called.
    parts_um : float
        Depth below which the band should exclude 0.
    corner_um : float
        Corner of the first stack's Poisson curve.
    """

    name: str
    draw: Draw
    components: Sequence[str] = ("poisson",)
    same_tissue: bool = True
    differs: str = ""
    power: float = 0.0
    coverage: tuple[float, float] = (0.92, 0.98)
    parts_um: float = np.nan
    corner_um: float = np.nan
    bends: bool = False

    @property
    def limits(self) -> Limits:
        covered = ("slope", "mean", "level", "level of a stack", "d", "R2")
        return {
            "called wrongly": WRONG_MOST,
            "mean called wrongly": WRONG_MOST,
            **({f"{self.differs} called": (self.power, 1.0)} if self.power else {}),
            **{f"{what} covered": self.coverage for what in covered},
            "signal covered": (self.coverage[0], 1.0),  # in whole steps
        }


# --- drawing replicates --------------------------------------------------------------------------


def known_mean(images: np.ndarray) -> np.ndarray:
    """Return the mean over images of known values; NaN if there are none."""
    n = np.isfinite(images).sum(axis=0)
    return np.where(n, np.nansum(images, axis=0) / np.maximum(n, 1), np.nan)


class Imaged:
    """A tissue imaged many times: expected readings, and a pool of errors."""

    def __init__(self, table: pd.DataFrame, step_um: float) -> None:
        rows = table[table.step_um == step_um]
        self.depth_um = np.unique(rows.depth_um)
        self.near = max(1, round(NEAR_UM / step_um))
        self.images = {
            n: self._stacked(rows[rows.protocol == n], means) for n in rows.protocol.unique()
        }
        self.doubt = {
            n: known_mean(self._stacked(rows[rows.protocol == n], doubts)) for n in self.images
        }
        self.expected = {n: self._expected(images) for n, images in self.images.items()}
        self.truth = {
            n: self._stacked(rows[rows.protocol == n], truths).mean(axis=0) for n in self.images
        }

    @staticmethod
    def _stacked(rows: pd.DataFrame, columns: Callable[[pd.DataFrame], np.ndarray]) -> np.ndarray:
        return np.stack([columns(each) for _, each in rows.groupby("image")])

    @staticmethod
    def _expected(images: np.ndarray) -> np.ndarray:
        """Return the mean reading of the planes with signal in most images."""
        often = np.isfinite(images[..., 0]).mean(axis=0) > 0.5
        return np.where(often[:, None], known_mean(images), np.nan)

    def drawn(self, name: str, planes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a stack imaged anew, with the errors of a random image at a nearby plane."""
        images, expected = self.images[name], self.expected[name]
        m = len(images)
        errors = (images - expected) * np.sqrt(m / (m - 1))
        away = rng.integers(-self.near, self.near + 1, len(planes))
        at = np.clip(planes + away, planes[0], planes[-1])
        error = errors[rng.integers(m, size=len(planes)), at]
        own = errors[rng.integers(m, size=len(planes)), planes]
        error = np.where(np.isfinite(error), error, np.where(np.isfinite(own), own, 0))
        lost = np.isnan(images[rng.integers(m, size=len(planes)), planes])
        return np.where(lost, np.nan, expected[planes] + error)

    def pair(
        self,
        names: tuple[str, str],
        *,
        every: int = 1,
        longest: int = 10**6,
        drift: float = 0.0,
    ) -> Draw:
        """Return a function that draws a pair.

        Parameters
        ----------
        names : (str, str)
            Stacks in the table.
        every, longest : int
            Take every n-th plane, and a stretch of at most so many planes with signal.
        drift : float
            Excess of the second stack's power at its end, increasing from 0.
        """

        def draw(rng: np.random.Generator) -> Pair:
            both = [np.isfinite(self.expected[n][:, 0]) for n in names]
            n_all = len(self.depth_um) if longest > 100 else int((both[0] & both[1]).sum())
            planes = np.arange(rng.integers(every), n_all, every)
            start = rng.integers(max(len(planes) - longest, 0) + 1)
            planes = planes[start : start + longest]
            expected = [self.expected[n][planes] for n in names]
            read = [self.drawn(n, planes, rng) for n in names]
            less = -1.5 * drift * np.linspace(0, 1, len(planes)) * expected[1][:, POISSON]
            for values in (expected[1], read[1]):
                values[:, POISSON] += less
                values[:, -1] -= less
            doubt = [self.doubt[n][planes] for n in names]
            return Pair(self.depth_um[planes], (*read,), (*expected,), (*doubt,))

        return draw


class Tissues:
    """Stacks of many tissues, each imaged once; some kinds of stacks only for the first tissues."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.depth_um = np.unique(table.depth_um)
        self.read = {n: self._stacked(each, means) for n, each in table.groupby("protocol")}
        self.doubt = {n: self._stacked(each, doubts) for n, each in table.groupby("protocol")}

    @staticmethod
    def _stacked(rows: pd.DataFrame, columns: Callable[[pd.DataFrame], np.ndarray]) -> np.ndarray:
        return np.stack([columns(each) for _, each in rows.groupby("tissue")])

    def two(self, names: tuple[str, str]) -> Draw:
        """Return a function that draws a stack of one tissue and a stack of another."""

        def draw(rng: np.random.Generator) -> Pair:
            which = [
                *zip(names, rng.choice(len(self.read[names[0]]), 2, replace=False), strict=True)
            ]
            return self._pair(
                [self.read[n][i] for n, i in which], [self.doubt[n][i] for n, i in which]
            )

        return draw

    def spliced(self, names: tuple[str, str], planes: float = 5.0) -> Draw:
        """Return a function that draws two stacks of one tissue, spliced from several tissues."""

        def draw(rng: np.random.Generator) -> Pair:
            at = np.arange(len(self.depth_um))
            stretch = np.cumsum(rng.random(len(at)) < 1 / planes)
            tissue = rng.integers(len(self.read[names[0]]), size=stretch[-1] + 1)[stretch]
            return self._pair(
                [self.read[n][tissue, at] for n in names],
                [self.doubt[n][tissue, at] for n in names],
            )

        return draw

    def _pair(self, read: list[np.ndarray], doubt: list[np.ndarray]) -> Pair:
        return Pair(self.depth_um, (*read,), None, (*doubt,))


Curve = Callable[[np.ndarray], np.ndarray]


def hockey(corner_um: float, per_100_um: float = 0.06) -> Curve:
    return lambda z: 0.09 + per_100_um / 100 * np.maximum(z - corner_um, 0)


def plateau(z: np.ndarray) -> np.ndarray:
    return 0.09 + 0.4 * (1 - np.exp(-z / 250))


def line(z: np.ndarray) -> np.ndarray:
    return 0.09 + 2e-4 * z


def flat(z: np.ndarray) -> np.ndarray:
    return np.full(len(z), 0.09)


def alike(rng: np.random.Generator, n: int, rho: float, rows: int = 2) -> np.ndarray:
    """Return errors of SD 1 with correlated neighbours, shape (rows, n)."""
    drawn = rng.standard_normal((rows, n + 200))
    return lfilter([np.sqrt(1 - rho**2)], [1, -rho], drawn, axis=1)[:, 200:]


def curves(
    first: Curve,
    second: Curve,
    *,
    n: int,
    step_um: float,
    rho: float = 0.0,
    tissue_sd: float = 0.0,
    start_um: float = 0.0,
    sd: float = 0.005,
) -> Draw:
    """Return a function that draws Poisson curves: errors of `sd`, tissue shared by both stacks."""
    z = start_um + np.arange(n) * step_um

    def draw(rng: np.random.Generator) -> Pair:
        shared = tissue_sd * alike(rng, n, 0.9 ** (step_um / 20), 1)[0]
        expected = [curve(z) + shared for curve in (first, second)]
        errors = sd * alike(rng, n, rho)
        read = [_only(y + e) for y, e in zip(expected, errors, strict=True)]
        doubt = np.full((n, len(DEFAULT_COMPONENTS)), 0.025)
        return Pair(z, (*read,), (_only(expected[0]), _only(expected[1])), (doubt, doubt))

    return draw


def _only(poisson: np.ndarray) -> np.ndarray:
    strengths = np.full((len(poisson), len(DEFAULT_COMPONENTS)), 0.01)
    strengths[:, POISSON] = poisson
    strengths[:, -1] = 1 - strengths[:, :-1].sum(axis=1)
    return strengths


# --- judging statements --------------------------------------------------------------------------


def holds(interval: tuple[float, float], truth: float) -> bool | None:
    """Return whether an interval contains the truth; None if either is not known."""
    if np.isnan([*interval, truth]).any() or np.isinf(truth):
        return None
    return bool(interval[0] <= truth <= interval[1])


def judge(case: Case, replicate: int, rates: Rates, seen: dict[str, list[float]]) -> None:
    """Draw one replicate and count its calls and coverage."""
    rng = np.random.default_rng((zlib.crc32(case.name.encode()), replicate))
    pair = case.draw(rng)
    first, second = pair.profiles()
    pairs = paired_planes(first, second)
    options = ComparisonOptions(n_bootstrap=SAMPLES, seed=replicate)
    same = case.same_tissue
    effects = [
        pair_effect(c, first, second, pairs, options, same_tissue=same)
        if c == "poisson"
        else slopes_alone(c, first, second, pairs, same_tissue=same)
        for c in case.components
    ]
    found = called(effects, "default")
    wrong = {e.component for e in found if e.difference.called} - {case.differs}
    rates.add("called wrongly", bool(wrong))
    wrong_means = {e.component for e in found if e.difference.mean_called} - {case.differs}
    rates.add("mean called wrongly", bool(wrong_means))
    for component in case.components:
        rates.add(f"{component} called wrongly", component in wrong)
    for effect in found:
        judge_effect(case, pair, pairs, effect, rates, seen)
    if pair.expected is not None:
        judge_usable(pair, *usable_depths(first, second, options, same_tissue=same), rates, seen)
    if case.bends:
        bend = find_bend(pair.depth_um, pair.read[0][:, POISSON], samples=SAMPLES, seed=replicate)
        rates.add("bend found", bend.p_value < 0.05)
        if bend.p_value < 0.05:
            rates.add("bend covered", holds(bend.ci95_um, case.corner_um))


def slopes_alone(
    component: str,
    first: DepthProfile,
    second: DepthProfile,
    pairs: PairedPlanes,
    *,
    same_tissue: bool,
) -> ComponentEffect:
    """Return the part of `pair_effect` needed for calls and intervals of slope and mean."""
    found = paired_strengths(component, first, second, pairs)
    columns = found.depth_um, found.first, found.second
    errors = difference_of(*columns, same_tissue=same_tissue)
    weights = slope_weights(found.depth_um)
    slope, mean = errors.contrast(weights), errors.contrast(mean_weights(found.depth_um))
    doubt = np.hypot(found.doubt_first, found.doubt_second)
    difference = ComponentDifference(
        slope_difference_per_um=slope.value,
        slope_difference_ci95=slope.ci95,
        p_value=slope.p_value,
        reading_limit_per_um=float(np.abs(weights) @ doubt),
        mean_difference=mean.value,
        mean_difference_ci95=mean.ci95,
        mean_p_value=mean.p_value,
        mean_reading_limit=float(doubt.mean()),
    )
    return ComponentEffect(component, SlopeFit(), SlopeFit(), difference)


def judge_effect(
    case: Case,
    pair: Pair,
    pairs: PairedPlanes,
    effect: ComponentEffect,
    rates: Rates,
    seen: dict[str, list[float]],
) -> None:
    """Count whether a component is called, and the coverage of its intervals."""
    difference = effect.difference
    if effect.component == case.differs:
        rates.add(f"{effect.component} called", difference.called)
    if effect.component == "poisson":
        seen["planes"].append(len(pairs))
        seen["correlation of errors"].append(effect.error_correlation)
        seen["band begins at um"].append(effect.band.from_um)
        rates.add("band excludes 0", bool(np.isfinite(effect.band.from_um)))
    if pair.expected is None:
        rates.add("p below .05", difference.p_value < 0.05)
        return
    index = DEFAULT_COMPONENTS.index(effect.component)
    a, b = (y[i, index] for y, i in zip(pair.expected, (pairs.first, pairs.second), strict=True))
    slope, mean = (w(pairs.depth_um) @ (a - b) for w in (slope_weights, mean_weights))
    rates.add("slope covered", holds(difference.slope_difference_ci95, slope))
    rates.add("mean covered", holds(difference.mean_difference_ci95, mean))
    if effect.component == "poisson":
        rates.add("d covered", holds(difference.cohen_d_ci95, cohen_d(a, b)))
        for values, stack in ((a, effect.first), (b, effect.second)):
            r2 = float(np.corrcoef(pairs.depth_um, values)[0, 1] ** 2) if np.ptp(values) else 0.0
            if LEAST_R2 < r2 < MOST_R2:
                rates.add("R2 covered", holds(stack.r2_ci95, r2))
        width = float(np.ptp(difference.slope_difference_ci95))
        seen["width of the slope's interval"].append(width)


def judge_usable(
    pair: Pair,
    stacks: tuple[UsableDepth, UsableDepth],
    found: UsableDifference,
    rates: Rates,
    seen: dict[str, list[float]],
) -> None:
    """Count the coverage of the intervals of usable depths; signal depths are judged at the end."""
    level = [level_of(pair.depth_um, y[:, POISSON]) for y in pair.expected or ()]
    rates.add("level covered", holds(found.level_ci95_um, level[0] - level[1]))
    for stack, true in zip(stacks, level, strict=True):
        rates.add("level of a stack covered", holds(as_open(stack.level.ci95_um), true))
    seen["signal low"].append(found.signal_ci95_um[0])
    seen["signal high"].append(found.signal_ci95_um[1])
    seen["signal"].append(found.signal_um)


def as_open(interval: tuple[float, float]) -> tuple[float, float]:
    """Return an interval of a depth with an end beyond the planes, NaN, as infinite."""
    if np.isnan(interval).all():
        return interval
    low, high = interval
    return (-np.inf if np.isnan(low) else low), (np.inf if np.isnan(high) else high)


def level_of(depth_um: np.ndarray, values: np.ndarray) -> float:
    """Return the depth at which a smoothed curve rises through the level."""
    there = np.isfinite(values)
    depth_um, values = depth_um[there], values[there]
    if not wide_enough(depth_um):
        return float("nan")
    smooth = local_lines(depth_um, depth_um, half_width_um(depth_um)) @ values
    return float(crossings(depth_um, smooth[None], LEVEL)[0])


def measure(case: Case, replicates: int) -> dict[str, Any]:
    """Return rates and figures of a case."""
    rates = Rates()
    names = (
        "planes",
        "correlation of errors",
        "band begins at um",
        "width of the slope's interval",
    )
    seen: dict[str, list[float]] = {n: [] for n in (*names, "signal", "signal low", "signal high")}
    for replicate in range(replicates):
        judge(case, replicate, rates, seen)
    signal = np.array(seen["signal"])
    if len(signal) and np.isfinite(signal).all() and np.ptp(signal):  # otherwise never lost
        for low, high in zip(seen["signal low"], seen["signal high"], strict=True):
            rates.add("signal covered", holds((low, high), float(signal.mean())))
    figures = {n: finite_mean(seen[n]) for n in names}
    parts = figures["band begins at um"]
    if np.isfinite(case.parts_um) and parts is not None:
        figures["band within 60 um"] = abs(parts - case.parts_um) <= 60
    return {
        "rates": rates.document(case.limits),
        "figures": figures,
        "parts at um": none_if_nan(case.parts_um),
    }


def finite_mean(values: Sequence[float]) -> float | None:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else None


def none_if_nan(value: float) -> float | None:
    return value if np.isfinite(value) else None


# --- cases ---------------------------------------------------------------------------------------


def cases_of(table: pd.DataFrame) -> list[tuple[list[Case], Path]]:
    """Return all cases, and the folders of their results."""
    again, others = table[table.tissue == 0], table[table.tissue > 0]
    imaged = {step_um: Imaged(again, step_um) for step_um in (20.0, 4.0, 2.0)}
    return [
        (cases_of_images(imaged), folder_of(again)),
        (cases_of_tissues(Tissues(others)), folder_of(others)),
        (cases_of_curves(), folder_of(table[:0])),
    ]


def cases_of_images(imaged: dict[float, Imaged]) -> list[Case]:
    apart, twice, capped = ("fixed", "gained"), ("gained", "gained"), ("capped", "gained")
    sample, dense, denser = imaged[20.0], imaged[4.0], imaged[2.0]
    differs = partial(Case, differs="poisson")
    few = partial(differs, coverage=(0.88, 0.98))
    thinned = sample.pair(apart, every=4, longest=8)
    return [
        differs("fixed and gained, 20 um", sample.pair(apart), NOISES, power=0.95, parts_um=0.0),
        differs(
            "cap of 30 and 60 mW, 20 um", sample.pair(capped), NOISES, power=0.9, parts_um=537.0
        ),
        Case("gained twice, 20 um", sample.pair(twice), NOISES),
        Case("gained twice, 20 um, drift of 3 %", sample.pair(twice, drift=0.03), NOISES),
        few("fixed and gained, 5 planes", sample.pair(apart, longest=5)),
        few("fixed and gained, 7 planes", sample.pair(apart, longest=7)),
        differs("fixed and gained, 10 planes", sample.pair(apart, longest=10)),
        few("fixed and gained, 8 planes 80 um apart", thinned),
        differs("fixed and gained, 4 um", dense.pair(apart)),
        Case("gained twice, 4 um", dense.pair(twice)),
        differs("fixed and gained, 2 um", denser.pair(apart)),
        Case("gained twice, 2 um", denser.pair(twice)),
    ]


def cases_of_tissues(tissues: Tissues) -> list[Case]:
    two = partial(Case, components=NOISES, same_tissue=False)
    return [
        Case("5 um deeper", tissues.spliced(("deeper", "gained")), NOISES),
        Case("25 um aside", tissues.spliced(("aside", "gained")), NOISES),
        two("two tissues, one power", tissues.two(("again", "gained"))),
        two("two tissues, fixed and gained", tissues.two(("fixed", "gained")), differs="poisson"),
    ]


def cases_of_curves() -> list[Case]:
    """Return cases with curves of the Poisson strength alone, other strengths unchanged."""
    rise, late = hockey(150, 0.07), hockey(537, 0.07)
    made: dict[str, tuple[Draw, dict[str, Any]]] = {
        "hockey stick and cap, 40 planes of 20 um": (
            curves(rise, late, n=40, step_um=20),
            {"parts_um": 150.0, "bends": True, "corner_um": 150.0},
        ),
        "hockey stick at 400 um, 49 planes of 20 um": (
            curves(hockey(400), flat, n=49, step_um=20),
            {"parts_um": 400.0, "bends": True, "corner_um": 400.0},
        ),
        "line and flat, 34 planes of 20 um": (
            curves(line, flat, n=34, step_um=20),
            {"bends": True},
        ),
        "plateau and flat, 34 planes of 20 um": (
            curves(plateau, flat, n=34, step_um=20),
            {"bends": True},
        ),
        "nugget on correlated tissue, 34 planes of 20 um": (
            curves(rise, flat, n=34, step_um=20, tissue_sd=0.02),
            {},
        ),
        "nugget on correlated tissue, 160 planes of 4 um": (
            curves(rise, flat, n=160, step_um=4, tissue_sd=0.02),
            {},
        ),
        "hockey stick and cap, 326 planes of 4 um": (
            curves(rise, late, n=326, step_um=4),
            {"parts_um": 150.0},
        ),
        "hockey stick, 20 planes of 4 um": (
            curves(hockey(340), flat, n=20, step_um=4, start_um=300),
            {},
        ),
    }
    for n, step, rhos in ((39, 2.0, (0.6,)), (160, 4.0, (0.1, 0.45)), (326, 4.0, (0.8,))):
        for rho in rhos:
            name = f"errors alike by {rho}, {n} planes of {step:g} um"
            made[name] = curves(plateau, flat, n=n, step_um=step, rho=rho), {}
    return [Case(name, draw, differs="poisson", **more) for name, (draw, more) in made.items()]


def from_pixels(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return how often each component is called between the gained stack and others of a tissue."""
    found = {}
    for name, rows in table[(table.tissue > 0) & (table.protocol != "gained")].groupby("protocol"):
        rates, differs = Rates(), DIFFERS.get(name, "")
        for seed, other in rows.groupby("tissue"):
            gained = table[(table.tissue == seed) & (table.protocol == "gained")]
            pair = profile_in(other, name), profile_in(gained, "gained")
            same = other.likeness.iloc[0] > SAME_TISSUE
            effects = compare(*pair, tissue="same" if same else "other").effects
            calls = {e.component for e in effects if e.difference.called}
            for component in NOISES:
                rates.add(f"{component} called", component in calls)
            rates.add("called wrongly", bool(calls - {differs}))
        document = rates.document({"called wrongly": WRONG_MOST})
        found[name] = {"rates": document, "figures": {}, "differs": differs}
        show(name, found[name])
    return found


def bias(one: Imaged) -> dict[str, dict[str, dict[str, float]]]:
    """Return differences of expected readings, and the true differences, by pair."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for first in ("fixed", "capped"):
        both = np.isfinite(one.expected[first] + one.expected["gained"]).all(axis=1)
        read = (one.expected[first] - one.expected["gained"])[both]
        true = (one.truth[first] - one.truth["gained"])[both]
        slope = slope_weights(one.depth_um[both])
        found[f"{first} and gained"] = {
            c: {
                "slope per 100 um, read": float(100 * slope @ read[:, i]),
                "slope per 100 um, true": float(100 * slope @ true[:, i]),
                "mean, read": float(read[:, i].mean()),
                "mean, true": float(true[:, i].mean()),
            }
            for i, c in enumerate(NOISES)
        }
    return found


def kept(case: Case, replicates: int, folder: Path) -> dict[str, Any]:
    """Return the result of a case, measured only if its folder does not have it."""
    path = folder / f"{case.name} {replicates}.json"
    if not path.exists():
        path.write_text(json.dumps(measure(case, replicates)), encoding="utf-8")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    show(case.name, found)
    return found


def folder_of(rows: pd.DataFrame) -> Path:
    """Return the folder for results of this code on rows of the table."""
    drawn_from = pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()
    return folder_of_parts("pair_calibration", drawn_from)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", help="begin of the names of those wanted")
    parser.add_argument("--replicates", type=int, default=1000)
    return parser.parse_args()


def main() -> None:
    options, table = asked(), load_table()
    measured = {
        "cases": {
            case.name: kept(case, options.replicates, folder)
            for cases, folder in cases_of(table)
            for case in cases
            if not options.cases or case.name.startswith((*options.cases,))
        },
        "tissues": from_pixels(table),
        "bias": bias(Imaged(table[table.tissue == 0], 20.0)),
    }
    print(
        record(
            "pair_calibration", measured, load_estimator("default"), replicates=options.replicates
        )
    )


if __name__ == "__main__":
    main()
