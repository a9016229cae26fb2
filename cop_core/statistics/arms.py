"""Several stacks an arm: what a protocol does beyond the stacks at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.recipes import ComparisonOptions
from cop_core.records import ArmsComparison, ArmsEffect, DepthProfile, MixedFit, distinct_names
from cop_core.statistics.caveats import settings_caveat
from cop_core.statistics.compare import check_components
from cop_core.statistics.depths import within
from cop_core.statistics.effect_size import (
    class_of_d,
    cohen_d,
    hedges_g,
    independent_interval_of_d,
)
from cop_core.statistics.mixed_model import fit_mixed
from cop_core.statistics.significance import equivalence_p, holm

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from cop_core.recipes import Window
    from cop_core.recipes.comparison import Rule

MIN_STACKS: Final = 2
"""Stacks that each arm needs."""
NO_PAPER_TEST: Final = (
    "the paper's rule has no test for several stacks an arm: slopes and p are of the mixed model, "
    "the classes of d are the paper's"
)
_NAN: Final = float("nan")


def compare_arms(
    fixed: Sequence[DepthProfile],
    gained: Sequence[DepthProfile],
    options: ComparisonOptions | None = None,
    *,
    animals: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
    window_um: Window | None = None,
    **chosen: Any,
) -> ArmsComparison:
    """Compare two protocols over several stacks each, with stacks as random effects.

    Parameters
    ----------
    fixed, gained : sequence of DepthProfile
        Two stacks or more in each arm, with the same components.
    options : ComparisonOptions, optional
        Of which the rule decides the class of d, and the margin counts; the test is the mixed
        model's in any case.
    animals : (sequence, sequence), optional
        Whose each stack is, for both arms. The same animal may be in both arms.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in um that enter.
    **chosen
        Fields of `ComparisonOptions` in place of `options`.

    Returns
    -------
    ArmsComparison
        Effects with p values that speak of animals (or stacks) to come, and caveats.

    Raises
    ------
    InputError
        Fewer than two stacks in an arm, an option that is out of range, animals that do not pair
        with the stacks, different components, planes at unknown depths, or too few animals for
        an error.
    """
    options = (options or ComparisonOptions()).but(**chosen)
    arms = _windowed(fixed, window_um), _windowed(gained, window_um)
    stacks = [*arms[0], *arms[1]]
    _check(arms, animals)
    owners = None if animals is None else (*animals[0], *animals[1])
    arm = np.repeat([1.0, 0.0], [len(a) for a in arms])
    effects = [_effect(c, stacks, arm, owners, options) for c in stacks[0].components]
    corrected = holm({e.component: e.p_value for e in effects})
    return ArmsComparison(
        fixed=arms[0],
        gained=arms[1],
        animals=owners,
        effects=tuple(replace(e, p_holm=corrected[e.component]) for e in effects),
        caveats=_caveats(stacks, effects, options.rule),
    )


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
            f"{len(arms[0])} and {len(arms[1])} stacks are too few for a protocol's effect",
            advice=f"Give {MIN_STACKS} or more in each arm, or describe one pair with compare()",
        )
    check_components([*arms[0], *arms[1]])
    if animals is not None and [*map(len, animals)] != [*map(len, arms)]:
        raise InputError(
            f"{len(animals[0])} and {len(animals[1])} animals for "
            f"{len(arms[0])} and {len(arms[1])} stacks",
            advice="Name the animal of every stack",
        )


def _effect(
    component: str,
    stacks: Sequence[DepthProfile],
    arm: np.ndarray[tuple[int], np.dtype[np.float64]],
    owners: tuple[Hashable, ...] | None,
    options: ComparisonOptions,
) -> ArmsEffect:
    series = [(p.depth_um[p.kept], p.of(component)[p.kept]) for p in stacks]
    model = fit_mixed(series, arm, owners)  # first: it refuses stacks that cannot enter
    units: dict[tuple[float, Hashable], list[float]] = {}
    for key, (_, value) in zip(
        zip(arm, owners or range(len(arm)), strict=True), series, strict=True
    ):
        units.setdefault(key, []).append(float(value.mean()))
    sides = [[np.mean(v) for (s, _), v in units.items() if s == side] for side in (1.0, 0.0)]
    d = cohen_d(*sides)
    return ArmsEffect(
        component=component,
        model=model,
        p_holm=_NAN,
        cohen_d=d,
        cohen_d_ci95=independent_interval_of_d(d, len(sides[0]), len(sides[1])),
        cohen_d_class=class_of_d(d, options.rule),
        hedges_g=hedges_g(d, len(sides[0]), len(sides[1])),
        **_equivalence(model, options.margin_per_100_um),
    )


def _equivalence(model: MixedFit, margin_per_100_um: float | None) -> dict[str, float]:
    if margin_per_100_um is None:
        return {}
    slopes = {
        "fixed": (model.fixed_slope_per_um, model.fixed_se),
        "gained": (model.gained_slope_per_um, model.gained_se),
        "difference": (model.slope_difference_per_um, model.se),
    }
    return {
        f"equivalence_p_{name}": equivalence_p(slope, se, model.dof, margin_per_100_um / 100)
        for name, (slope, se) in slopes.items()
    }


def _caveats(
    stacks: Sequence[DepthProfile], effects: Sequence[ArmsEffect], rule: Rule
) -> tuple[str, ...]:
    found = {text for other in stacks[1:] for text in settings_caveat(stacks[0], other)}
    notes = {e.model.note for e in effects} - {""}
    excluded = [
        f"{name}: {int((~p.kept).sum())} of {len(p)} planes excluded"
        for name, p in zip(distinct_names(stacks), stacks, strict=True)
        if not p.kept.all()
    ]
    paper = [NO_PAPER_TEST] if rule == "paper" else []
    return (*paper, *sorted(found), *sorted(notes), *excluded)
