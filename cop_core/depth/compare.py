"""Two protocols side by side: does the noise grow less with depth, and by how much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, get_args

import numpy as np
import numpy.typing as npt

from cop_core.components import CLEAN
from cop_core.depth.caveats import ONE_STACK, profile_caveats, settings_caveat
from cop_core.depth.effects import (
    D_CLASSES,
    D_CLASSES_PAPER,
    F2_CLASSES,
    Rule,
    classify,
    cohen_d,
    hedges_g,
    interval_of_d,
)
from cop_core.depth.profile import DepthProfile, distinct_names
from cop_core.depth.slope import SlopeFit, t_interval, t_p_value
from cop_core.errors import InputError

Array = npt.NDArray[np.float64]

N_BOOTSTRAP: Final = 2000
"""Bootstrap samples where none are asked for."""

_NAN = float("nan")


@dataclass(frozen=True)
class ComponentEffect:
    """What the protocol does to one component.

    Differences are fixed minus gained: a positive slope difference or d means that the
    component grows faster, or is stronger, under the fixed protocol. NaN means undefined.

    Attributes
    ----------
    component : str
        Name of the strength.
    fixed, gained : SlopeFit
        The lines of the two profiles.
    slope_difference_per_um, se : float
        Difference of the two slopes per um, and its standard error (each stack its own AR(1)
        process).
    ci95 : (float, float)
        95 % confidence interval of the difference, AR(1) errors.
    p_value : float
        p of the depth x protocol interaction by the comparison's rule.
    p_value_ar1, p_value_naive : float
        The same with AR(1) errors, and by the t-test that takes planes as independent.
    p_holm : float
        `p_value` after Holm's correction over the noise components; NaN for clean.
    cohen_d, hedges_g : float
        Difference of the means over all kept planes in pooled SDs of plane means.
    cohen_d_ci95 : (float, float)
        95 % interval of d from a bootstrap that keeps depths and curves (`interval_of_d`).
    cohen_d_class : str
        Class of d by the comparison's rule.
    f2 : float
        Cohen's f2 of the interaction.
    f2_class : str
        Class of f2.
    """

    component: str
    fixed: SlopeFit
    gained: SlopeFit
    slope_difference_per_um: float
    se: float
    ci95: tuple[float, float]
    p_value: float
    p_value_ar1: float
    p_value_naive: float
    p_holm: float
    cohen_d: float
    cohen_d_ci95: tuple[float, float]
    cohen_d_class: str
    hedges_g: float
    f2: float
    f2_class: str


@dataclass(frozen=True)
class Comparison:
    """Two depth profiles and what differs between them.

    Attributes
    ----------
    fixed, gained : DepthProfile
        The profiles, in the order they were given.
    effects : tuple of ComponentEffect
        One for each component, in the profiles' order, clean included.
    rule : {"default", "paper"}
        Which test is primary and from where a d is called large.
    n_bootstrap, seed : int
        Samples and seed of the bootstrap.
    warnings : tuple of str
        What to know beside the numbers.
    """

    fixed: DepthProfile
    gained: DepthProfile
    effects: tuple[ComponentEffect, ...]
    rule: Rule
    n_bootstrap: int
    seed: int
    warnings: tuple[str, ...]

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean included."""
        return self.fixed.components

    @property
    def profiles(self) -> tuple[DepthProfile, DepthProfile]:
        """Both profiles."""
        return self.fixed, self.gained

    def of(self, component: str) -> ComponentEffect:
        """Return the effect on one component."""
        return self.effects[self.components.index(component)]


def compare(
    fixed: DepthProfile,
    gained: DepthProfile,
    *,
    rule: Rule = "default",
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> Comparison:
    """Compare how each strength runs with depth under two protocols.

    Parameters
    ----------
    fixed, gained : DepthProfile
        Profiles with the same components. Differences are `fixed` minus `gained`.
    rule : {"default", "paper"}
        ``"default"`` tests the depth x protocol interaction with AR(1) errors and calls d
        small, medium, large from 0.2, 0.5, 0.8. ``"paper"`` takes planes as independent and
        calls d large from 0.35, as arXiv:2601.17047 does (the convention for f2). Intervals
        have AR(1) errors under both.
    n_bootstrap : int
        Bootstrap samples for the interval of d.
    seed : int
        Seed of the bootstrap; the same seed gives the same interval.

    Returns
    -------
    Comparison
        Effects, both fits for each component, and warnings.

    Raises
    ------
    InputError
        The profiles have different components, or an option is out of range.
    """
    _check(fixed, gained, rule, n_bootstrap)
    fits = fixed.fits, gained.fits
    effects = [
        _effect(
            c,
            (fixed, gained),
            (fits[0][c], fits[1][c]),
            rule=rule,
            n_bootstrap=n_bootstrap,
            seed=seed,
        )
        for c in fixed.components
    ]
    warnings = [ONE_STACK, *settings_caveat(fixed, gained)]
    names = distinct_names((fixed, gained))
    for name, profile, lines in zip(names, (fixed, gained), fits, strict=True):
        warnings += profile_caveats(name, profile, lines)
    return Comparison(fixed, gained, _with_holm(effects), rule, n_bootstrap, seed, tuple(warnings))


def _check(fixed: DepthProfile, gained: DepthProfile, rule: str, n_bootstrap: int) -> None:
    if fixed.components != gained.components:
        raise InputError(
            f"{fixed.name!r} has the components {', '.join(fixed.components)} and "
            f"{gained.name!r} has {', '.join(gained.components)}",
            advice="Profile both stacks with the same estimator",
        )
    if rule not in get_args(Rule):
        raise InputError(
            f"there is no rule {rule!r}", advice=f"Choose one of {', '.join(get_args(Rule))}"
        )
    if n_bootstrap < 1:
        raise InputError(
            f"{n_bootstrap} bootstrap samples are too few",
            advice=f"Give 1 or more ({N_BOOTSTRAP} is usual)",
        )


def _effect(
    component: str,
    profiles: tuple[DepthProfile, DepthProfile],
    fits: tuple[SlopeFit, SlopeFit],
    *,
    rule: Rule,
    n_bootstrap: int,
    seed: int,
) -> ComponentEffect:
    difference, se, ci95, p_ar1 = _slope_difference(*fits)
    p_naive, f2 = _naive_interaction(component, profiles, fits)
    values = [p.of(component)[p.kept] for p in profiles]
    d = cohen_d(*values)
    classes = D_CLASSES_PAPER if rule == "paper" else D_CLASSES
    return ComponentEffect(
        component=component,
        fixed=fits[0],
        gained=fits[1],
        slope_difference_per_um=difference,
        se=se,
        ci95=ci95,
        p_value=p_naive if rule == "paper" else p_ar1,
        p_value_ar1=p_ar1,
        p_value_naive=p_naive,
        p_holm=_NAN,
        cohen_d=d,
        cohen_d_ci95=interval_of_d(
            *(_by_depth(p, component) for p in profiles), n_samples=n_bootstrap, seed=seed
        ),
        cohen_d_class=classify(d, classes),
        hedges_g=hedges_g(d, len(values[0]), len(values[1])),
        f2=f2,
        f2_class=classify(f2, F2_CLASSES),
    )


def _slope_difference(
    first: SlopeFit, second: SlopeFit
) -> tuple[float, float, tuple[float, float], float]:
    """Return the difference, its standard error, interval and p, each stack with own errors.

    The degrees of freedom are Welch and Satterthwaite's.
    """
    if not (first.defined and second.defined):
        return _NAN, _NAN, (_NAN, _NAN), _NAN
    difference = first.slope_per_um - second.slope_per_um
    variances = np.array([first.se, second.se]) ** 2
    se = float(np.sqrt(variances.sum()))
    if se == 0:
        return difference, se, (difference, difference), t_p_value(difference, se, 1.0)
    dof = float(1 / (((variances / variances.sum()) ** 2) / [first.dof, second.dof]).sum())
    return difference, se, t_interval(difference, se, dof), t_p_value(difference, se, dof)


def _naive_interaction(
    component: str,
    profiles: tuple[DepthProfile, DepthProfile],
    fits: tuple[SlopeFit, SlopeFit],
) -> tuple[float, float]:
    """Return p and f2 of the depth x protocol interaction with independent planes."""
    if not all(fit.defined for fit in fits):
        return _NAN, _NAN
    from statsmodels.regression.linear_model import OLS

    depth, value, protocol = _stacked(component, profiles)
    design = np.column_stack([np.ones_like(depth), depth, protocol, depth * protocol])
    model = OLS(value, design).fit()
    if np.sqrt(model.ssr) <= 1e-12 * np.linalg.norm(value):  # exact lines: no error to test with
        return t_p_value(fits[0].slope_per_um - fits[1].slope_per_um, 0.0, 1.0), _NAN
    return float(model.pvalues[3]), float(model.tvalues[3] ** 2 / model.df_resid)


def _stacked(
    component: str, profiles: tuple[DepthProfile, DepthProfile]
) -> tuple[Array, Array, Array]:
    """Return depth in spreads around the mean, value and protocol (1 fixed, 0 gained)."""
    depth = np.concatenate([p.depth_um[p.kept] for p in profiles])
    value = np.concatenate([p.of(component)[p.kept] for p in profiles])
    protocol = np.repeat([1.0, 0.0], [p.kept.sum() for p in profiles])
    known = np.isfinite(depth)
    depth, value, protocol = depth[known], value[known], protocol[known]
    return (depth - depth.mean()) / depth.std(), value, protocol


def _by_depth(profile: DepthProfile, component: str) -> tuple[Array, Array]:
    """Return depth and value of the kept planes in order of depth (of planes if unknown)."""
    depth, value = profile.depth_um[profile.kept], profile.of(component)[profile.kept]
    if len(depth) and (not np.isfinite(depth).all() or np.ptp(depth) == 0):
        return np.arange(len(value), dtype=np.float64), value
    order = np.argsort(depth, kind="stable")
    return depth[order], value[order]


def _with_holm(effects: list[ComponentEffect]) -> tuple[ComponentEffect, ...]:
    """Add Holm's correction over the noise components that have a p."""
    from statsmodels.stats.multitest import multipletests

    tested = [e for e in effects if e.component != CLEAN and np.isfinite(e.p_value)]
    if not tested:
        return tuple(effects)
    corrected = multipletests([e.p_value for e in tested], method="holm")[1]
    holm = {e.component: float(p) for e, p in zip(tested, corrected, strict=True)}
    return tuple(replace(e, p_holm=holm.get(e.component, _NAN)) for e in effects)
