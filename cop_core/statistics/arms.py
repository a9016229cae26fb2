"""Several animals: the effect of a protocol beyond the stacks at hand."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.recipes import ComparisonOptions
from cop_core.records import (
    ArmsComparison,
    ArmsDepth,
    ArmsEffect,
    ComponentDifference,
    DepthLimit,
    DepthProfile,
    distinct_names,
)
from cop_core.statistics.analysis import usable_depth
from cop_core.statistics.calls import called
from cop_core.statistics.caveats import exclusions, left_out, rising_power, settings_caveat
from cop_core.statistics.compare import check_components
from cop_core.statistics.contrast import Contrast, mean_weights, slope_weights, welch
from cop_core.statistics.depth_order import by_depth
from cop_core.statistics.depths import within
from cop_core.statistics.effect_size import cohen_d, hedges_g, independent_interval_of_d
from cop_core.statistics.significance import equivalence_p
from cop_core.statistics.usable_depth import SIGNAL_SD_STEPS, step_um
from cop_core.statistics.verdict import verdict_of_arms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cop_core.recipes import Window

Array = npt.NDArray[np.float64]
Owners = tuple[Hashable, ...]

MIN_STACKS: Final = 2
"""Stacks that each arm needs."""
NO_PAPER_TEST: Final = (
    "the paper's rule has no test for several stacks per arm: slopes and p are computed over "
    "animals, and d is classified as in the paper"
)
_LEAST_PLANES: Final = 3


def compare_arms(
    first: Sequence[DepthProfile],
    second: Sequence[DepthProfile],
    options: ComparisonOptions | None = None,
    *,
    names: tuple[str, str] = ("first", "second"),
    animals: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
    window_um: Window | None = None,
    among: Sequence[DepthProfile] = (),
    **chosen: Any,
) -> ArmsComparison:
    """Compare two protocols over several stacks each, animal by animal.

    All slopes and means are computed over the depths at which every stack has usable planes. Fields
    of one animal are averaged; then a paired t-test is used if each animal has both arms, otherwise
    Welch's test.

    Parameters
    ----------
    first, second : sequence of DepthProfile
        Two stacks or more in each arm, with the same components. Differences are `first` minus
        `second`.
    options : ComparisonOptions, optional
        Only rule, level and margin are used.
    names : (str, str)
        Of the protocols.
    animals : (sequence, sequence), optional
        Animal of each stack, for both arms. Without it, every stack counts as an animal.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in µm to use.
    among : sequence of DepthProfile
        Stacks of further arms, whose depths also limit those compared.
    **chosen
        Fields of `ComparisonOptions` in place of `options`.

    Returns
    -------
    ArmsComparison
        Effects with p values that apply to other animals (or stacks) too, and caveats.

    Raises
    ------
    InputError
        If an arm has fewer than two stacks, an option is out of range, animals do not match the
        stacks, components differ, stacks share too few depths, or there are too few animals to
        estimate an error.
    """
    options = (options or ComparisonOptions()).but(**chosen)
    arms = _windowed(first, window_um), _windowed(second, window_um)
    _check(arms, animals)
    owners = _Design.of(arms, animals)
    common = _common_window([*arms[0], *arms[1], *_windowed(among, window_um)])
    effects = [_effect(c, arms, common, owners, options) for c in arms[0][0].components]
    usable = [[usable_depth(p, options.level) for p in arm] for arm in arms]
    least_sd_um = SIGNAL_SD_STEPS * step_um([*arms[0], *arms[1]])
    found = ArmsComparison(
        names=names,
        first=arms[0],
        second=arms[1],
        animals=None if animals is None else (*animals[0], *animals[1]),
        effects=called(effects, options.rule),
        caveats=_caveats(names, arms, options),
        window_um=common,
        paired=owners.paired,
        n_units=owners.n_units,
        level=_depth([[u.level for u in arm] for arm in usable], owners, least_sd_um),
        signal=_depth([[u.signal for u in arm] for arm in usable], owners, least_sd_um),
        at_strength=options.level,
    )
    return replace(found, verdict=verdict_of_arms(found))


@dataclass(frozen=True)
class _Design:
    """The animals whose stacks are in each arm."""

    owners: tuple[Owners, Owners]

    @classmethod
    def of(
        cls,
        arms: tuple[Sequence[DepthProfile], ...],
        animals: tuple[Sequence[Hashable], Sequence[Hashable]] | None,
    ) -> _Design:
        if animals is None:
            return cls((tuple(range(len(arms[0]))), tuple(range(-len(arms[1]), 0))))
        return cls((tuple(animals[0]), tuple(animals[1])))

    @property
    def paired(self) -> bool:
        first, second = map(set, self.owners)
        return first == second

    @property
    def n_units(self) -> tuple[int, int]:
        first, second = (len(set(arm)) for arm in self.owners)
        return first, second

    def tested(self, values: tuple[Sequence[float], Sequence[float]]) -> tuple[list[float], ...]:
        """Return the animals of each arm, in one order; if paired, those with a value in both."""
        first, second = (self.units(i, values[i]) for i in (0, 1))
        if self.paired:
            both = [owner for owner in first if owner in second]
            return [first[owner] for owner in both], [second[owner] for owner in both]
        return [*first.values()], [*second.values()]

    def units(self, arm: int, values: Sequence[float]) -> dict[Hashable, float]:
        """Return the mean over the fields of each animal, leaving out unknown values."""
        found: dict[Hashable, list[float]] = {}
        for owner, value in zip(self.owners[arm], values, strict=True):
            if np.isfinite(value):
                found.setdefault(owner, []).append(value)
        return {owner: float(np.mean(each)) for owner, each in found.items()}


def _windowed(
    profiles: Sequence[DepthProfile], window_um: Window | None
) -> tuple[DepthProfile, ...]:
    return tuple(p if window_um is None else within(p, window_um) for p in profiles)


def _check(
    arms: tuple[tuple[DepthProfile, ...], ...],
    animals: tuple[Sequence[Hashable], Sequence[Hashable]] | None,
) -> None:
    if min(map(len, arms)) < MIN_STACKS:
        raise InputError(
            f"{len(arms[0])} and {len(arms[1])} stacks are too few to estimate an effect of the "
            "protocol",
            advice=f"use {MIN_STACKS} or more in each arm, or compare one pair",
        )
    check_components([*arms[0], *arms[1]])
    if animals is None:
        return
    if [*map(len, animals)] != [*map(len, arms)]:
        raise InputError(
            f"{len(animals[0])} and {len(animals[1])} animals for "
            f"{len(arms[0])} and {len(arms[1])} stacks",
            advice="state the animal of every stack",
        )
    if min(len(set(arm)) for arm in animals) < MIN_STACKS:
        raise InputError(
            "one animal per arm is too few to estimate an error",
            advice=f"use stacks from {MIN_STACKS} or more animals in each arm",
        )


def _common_window(stacks: Sequence[DepthProfile]) -> tuple[float, float]:
    """Return the depths that every stack keeps."""
    ends = []
    for profile in stacks:
        depth = profile.depth_um[profile.kept]
        depth = depth[np.isfinite(depth)]
        if not len(depth):
            raise InputError(
                "no usable plane lies at a known depth",
                where=profile.name,
                advice="leave the stack out, or set the z step in µm",
            )
        ends.append((depth.min(), depth.max()))
    low, high = max(e[0] for e in ends), min(e[1] for e in ends)
    for profile in stacks:
        if _inside(profile, (low, high)).sum() < _LEAST_PLANES:
            raise InputError(
                f"fewer than {_LEAST_PLANES} of its planes lie at the depths shared by all "
                f"stacks ({low:g} to {high:g} µm)",
                where=profile.name,
                advice="leave the stack out",
            )
    return float(low), float(high)


def _inside(profile: DepthProfile, window: tuple[float, float]) -> npt.NDArray[np.bool_]:
    depth = profile.depth_um
    return np.asarray(profile.kept & (depth >= window[0] - 1e-9) & (depth <= window[1] + 1e-9))


def _effect(
    component: str,
    arms: tuple[tuple[DepthProfile, ...], ...],
    window: tuple[float, float],
    design: _Design,
    options: ComparisonOptions,
) -> ArmsEffect:
    slopes = _contrasts(component, arms, window, slope_weights)
    means = _contrasts(component, arms, window, mean_weights)
    slope, mean = _difference(design, slopes.values), _difference(design, means.values)
    sides = [[*design.units(i, means.values[i]).values()] for i in (0, 1)]
    n = len(sides[0]), len(sides[1])
    d = cohen_d(*sides)
    one, other = (_mean_of([*design.units(i, slopes.values[i]).values()]) for i in (0, 1))
    limit = float(np.hypot(*slopes.limits))
    difference = ComponentDifference(
        slope_difference_per_um=slope.value,
        se=slope.se,
        dof=slope.dof,
        slope_difference_ci95=slope.ci95,
        p_value=slope.p_value,
        reading_limit_per_um=limit,
        mean_difference=mean.value,
        mean_difference_ci95=mean.ci95,
        mean_p_value=mean.p_value,
        mean_reading_limit=float(np.hypot(*means.limits)),
        cohen_d=d,
        cohen_d_ci95=independent_interval_of_d(d, *n),
        hedges_g=hedges_g(d, *n),
        **_equivalence((one, other, slope), (*slopes.limits, limit), options.margin_per_100_um),
    )
    return ArmsEffect(
        component,
        one.value,
        one.ci95,
        other.value,
        other.ci95,
        tuple(slopes.values[0]),
        tuple(slopes.values[1]),
        difference,
    )


@dataclass(frozen=True)
class _Contrasts:
    """A weighted sum of each stack's planes by arm, and each arm's mean reading limit."""

    values: tuple[list[float], list[float]]
    limits: tuple[float, float]


def _contrasts(
    component: str,
    arms: tuple[tuple[DepthProfile, ...], ...],
    window: tuple[float, float],
    weigh: Callable[[Array], Array],
) -> _Contrasts:
    index = arms[0][0].components.index(component)
    values, limits = [], []
    for arm in arms:
        sums, bounds = [], []
        for profile in arm:
            inside = _inside(profile, window)
            doubt = profile.uncertainty[inside, index]
            depth, value, known = by_depth(
                profile.depth_um[inside], profile.mean[inside, index], np.nan_to_num(doubt)
            )
            weights = weigh(depth)
            sums.append(float(weights @ value))
            stated = np.isfinite(doubt).all()
            bounds.append(float(np.abs(weights) @ known) if stated else float("nan"))
        values.append(sums)
        limits.append(float(np.mean(bounds)))
    return _Contrasts((values[0], values[1]), (limits[0], limits[1]))


def _difference(
    design: _Design, values: tuple[list[float], list[float]], least_sd: float = 0.0
) -> Contrast:
    """Return the mean difference of two arms, over animals that have both or over all.

    Values that are all equal vary by `least_sd`.
    """
    first, second = design.tested(values)
    if design.paired:
        return _mean_of([a - b for a, b in zip(first, second, strict=True)], 2**0.5 * least_sd)
    return welch(_mean_of(first, least_sd), _mean_of(second, least_sd))


def _mean_of(values: Sequence[float], least_sd: float = 0.0) -> Contrast:
    n = len(values)
    if not n:
        return Contrast()
    sd = float(np.std(values, ddof=1)) if n > 1 and np.ptp(values) else least_sd
    if n < MIN_STACKS or not sd:
        return Contrast(float(np.mean(values)))
    return Contrast(float(np.mean(values)), sd / n**0.5, float(n - 1))


def _depth(limits: list[list[DepthLimit]], design: _Design, least_sd_um: float) -> ArmsDepth:
    """Return how deep the arms can be used, over the stacks whose limit is known."""
    every = [*limits[0], *limits[1]]
    ends = [x.deeper_than_um for x in every if np.isfinite(x.deeper_than_um)]
    starts = [x.shallower_than_um for x in every if np.isfinite(x.shallower_than_um)]
    span = max(starts, default=-np.inf), min(ends, default=np.inf)
    values = [_counted(x, span) for x in limits[0]], [_counted(x, span) for x in limits[1]]
    found = _difference(design, values, least_sd_um)
    first, second = (_mean_of(side).value for side in design.tested(values))
    return ArmsDepth(
        first_um=first,
        second_um=second,
        difference_um=found.value,
        ci95_um=found.ci95,
        p_value=found.p_value,
        p_holm=found.p_value,
        counted_to_um=span[1] if ends else float("nan"),
        n_deeper=len(ends),
        n_untold=int(np.isnan([*values[0], *values[1]]).sum()),
    )


def _counted(limit: DepthLimit, span_um: tuple[float, float]) -> float:
    """Return a limit within the depths that all stacks cover; NaN where it is not known."""
    if np.isfinite(limit.deeper_than_um):
        return span_um[1]
    if np.isfinite(limit.shallower_than_um):
        return span_um[0]
    return float(np.clip(limit.depth_um, *span_um))


def _equivalence(
    tested: tuple[Contrast, Contrast, Contrast],
    limits: tuple[float, float, float],
    margin_per_100_um: float | None,
) -> dict[str, Any]:
    if margin_per_100_um is None:
        return {}
    return {
        f"equivalence_p_{name}": equivalence_p(
            each.value, each.se, each.dof, margin_per_100_um / 100 - limit
        )
        for name, each, limit in zip(("first", "second", "difference"), tested, limits, strict=True)
    }


def _caveats(
    names: tuple[str, str], arms: tuple[Sequence[DepthProfile], ...], options: ComparisonOptions
) -> tuple[str, ...]:
    """Return the caveats, the most important first."""
    stacks = [*arms[0], *arms[1]]
    called_so = distinct_names(stacks)
    protocols = [name for name, arm in zip(names, arms, strict=True) for _ in arm]
    rising = [
        text
        for protocol, name, p in zip(protocols, called_so, stacks, strict=True)
        for text in rising_power(protocol, p, f"{name} of the arm {protocol}")
    ]
    differ = {text for other in stacks[1:] for text in settings_caveat(stacks[0], other)}
    excluded = [
        f"{name}: {left_out(p, exclusions(p))}"
        for name, p in zip(called_so, stacks, strict=True)
        if not p.kept.all()
    ]
    paper = [NO_PAPER_TEST] if options.rule == "paper" else []
    return (*rising, *paper, *sorted(differ), *excluded)
