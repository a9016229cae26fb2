"""Several stacks an arm: what a protocol does beyond the stacks at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.statistics.caveats import settings_caveat
from cop_core.statistics.compare import check_components
from cop_core.statistics.component_effect import Choices
from cop_core.statistics.depth_window import within
from cop_core.statistics.effect_size import (
    D_CLASSES,
    D_CLASSES_PAPER,
    Interval,
    Rule,
    classify,
    cohen_d,
    hedges_g,
    independent_interval_of_d,
)
from cop_core.statistics.equivalence import equivalence_p
from cop_core.statistics.holm import holm
from cop_core.statistics.mixed_model import MixedFit, fit_mixed
from cop_core.statistics.profile import DepthProfile, distinct_names

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from cop_core.statistics.depth_window import Window

MIN_STACKS: Final = 2
"""Stacks that each arm needs."""
NO_PAPER_TEST: Final = (
    "the paper's rule has no test for several stacks an arm: slopes and p are of the mixed model, "
    "the classes of d are the paper's"
)
_NAN: Final = float("nan")


@dataclass(frozen=True)
class ArmsEffect:
    """What the protocol does to one component, over stacks.

    Differences are fixed minus gained. NaN means undefined.

    Attributes
    ----------
    component : str
        Name of the strength.
    model : MixedFit
        Slopes of both arms and their difference, from the mixed model.
    p_holm : float
        The difference's p after Holm's correction over the noise components.
    cohen_d, hedges_g : float
        Difference of the arms' means in pooled SDs of the units' means (a unit is an animal's
        stacks in one arm, or a stack where animals are not stated).
    cohen_d_ci95 : (float, float)
        95 % interval of d, units taken as independent.
    cohen_d_class : str
        Class of d by the comparison's rule.
    equivalence_p_fixed, equivalence_p_gained, equivalence_p_difference : float
        p of each arm's slope, and of their difference, being no smaller than the margin; NaN
        without one.
    """

    component: str
    model: MixedFit
    p_holm: float
    cohen_d: float
    cohen_d_ci95: Interval
    cohen_d_class: str
    hedges_g: float
    equivalence_p_fixed: float = _NAN
    equivalence_p_gained: float = _NAN
    equivalence_p_difference: float = _NAN

    @property
    def p_value(self) -> float:
        """Two-sided p of the difference of slopes."""
        return self.model.p_value

    @property
    def slope_difference_per_um(self) -> float:
        """Difference of slopes per um."""
        return self.model.slope_difference_per_um

    @property
    def ci95(self) -> Interval:
        """95 % interval of the difference of slopes."""
        return self.model.ci95


@dataclass(frozen=True)
class ArmsComparison:
    """Two arms of several stacks each, and what differs between them.

    Attributes
    ----------
    fixed, gained : tuple of DepthProfile
        The stacks of both arms.
    animals : tuple of hashable or None
        Whose each stack is, fixed ones first; None where not stated.
    effects : tuple of ArmsEffect
        One for each component, clean included.
    warnings : tuple of str
        What to know beside the numbers.
    """

    fixed: tuple[DepthProfile, ...]
    gained: tuple[DepthProfile, ...]
    animals: tuple[Hashable, ...] | None
    effects: tuple[ArmsEffect, ...]
    warnings: tuple[str, ...]

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.fixed[0].components

    def of(self, component: str) -> ArmsEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]


def compare_arms(
    fixed: Sequence[DepthProfile],
    gained: Sequence[DepthProfile],
    *,
    animals: tuple[Sequence[Hashable], Sequence[Hashable]] | None = None,
    window_um: Window | None = None,
    rule: Rule = "default",
    margin_per_100_um: float | None = None,
) -> ArmsComparison:
    """Compare two protocols over several stacks each, with stacks as random effects.

    Parameters
    ----------
    fixed, gained : sequence of DepthProfile
        Two stacks or more in each arm, with the same components.
    animals : (sequence, sequence), optional
        Whose each stack is, for both arms. The same animal may be in both arms.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in um that enter.
    rule : {"default", "paper"}
        From where a d is called large, as in `compare`; the test is the mixed model's in any case.
    margin_per_100_um : float, optional
        Slope that counts as none, as in `compare`.

    Returns
    -------
    ArmsComparison
        Effects with p values that speak of animals (or stacks) to come, and warnings.

    Raises
    ------
    InputError
        Fewer than two stacks in an arm, an option that is out of range, animals that do not pair
        with the stacks, different components, planes at unknown depths, or too few animals for
        an error.
    """
    choices = Choices(rule, margin_per_100_um=margin_per_100_um)
    arms = _windowed(fixed, window_um), _windowed(gained, window_um)
    stacks = [*arms[0], *arms[1]]
    _check(arms, animals)
    owners = None if animals is None else (*animals[0], *animals[1])
    arm = np.repeat([1.0, 0.0], [len(a) for a in arms])
    effects = [_effect(c, stacks, arm, owners, choices) for c in stacks[0].components]
    corrected = holm({e.component: e.p_value for e in effects})
    return ArmsComparison(
        fixed=arms[0],
        gained=arms[1],
        animals=owners,
        effects=tuple(replace(e, p_holm=corrected[e.component]) for e in effects),
        warnings=_warnings(stacks, effects, rule),
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
    choices: Choices,
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
        cohen_d_class=classify(d, D_CLASSES_PAPER if choices.rule == "paper" else D_CLASSES),
        hedges_g=hedges_g(d, len(sides[0]), len(sides[1])),
        **_equivalence(model, choices.margin_per_100_um),
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


def _warnings(
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
