"""What a protocol does to one component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

import numpy as np

from cop_core.errors import InputError
from cop_core.statistics.effect_intervals import effect_intervals
from cop_core.statistics.effect_size import (
    D_CLASSES,
    D_CLASSES_PAPER,
    F2_CLASSES,
    Interval,
    Rule,
    classify,
    cohen_d,
    hedges_g,
)
from cop_core.statistics.equivalence import equivalence_p
from cop_core.statistics.slope_difference import (
    Difference,
    Errors,
    Series,
    ar1_difference,
    bootstrap_difference,
    naive_interaction,
    paired_difference,
)

if TYPE_CHECKING:
    from cop_core.statistics.profile import DepthProfile
    from cop_core.statistics.slope import SlopeFit

N_BOOTSTRAP: Final = 2000
"""Bootstrap samples where none are asked for."""

_NAN = float("nan")
_UNKNOWN = (_NAN, _NAN)


@dataclass(frozen=True)
class Choices:
    """How two profiles are compared; `compare` describes each.

    Attributes
    ----------
    rule, errors, n_bootstrap, seed
        As in `compare`.
    margin_per_100_um : float or None
        Slope that counts as none, in strength per 100 um.

    Raises
    ------
    InputError
        A choice is unknown or out of range, or two do not go together.
    """

    rule: Rule = "default"
    errors: Errors = "ar1"
    n_bootstrap: int = N_BOOTSTRAP
    seed: int = 0
    margin_per_100_um: float | None = None

    def __post_init__(self) -> None:
        _known("rule", self.rule, get_args(Rule))
        _known("way to find errors", self.errors, get_args(Errors))
        if self.rule == "paper" and self.errors != "ar1":
            raise InputError(
                f"the paper's rule takes planes as independent, not with {self.errors} errors",
                advice="Leave out one of the two",
            )
        if self.n_bootstrap < 1:
            raise InputError(
                f"{self.n_bootstrap} bootstrap samples are too few",
                advice=f"Give 1 or more ({N_BOOTSTRAP} is usual)",
            )
        if self.seed < 0:
            raise InputError(f"a seed of {self.seed}", advice="Give a whole number, 0 or more")
        margin = self.margin_per_100_um
        if margin is not None and not 0 < margin < np.inf:
            raise InputError(
                f"a margin of {margin:g} per 100 um is no slope to stay below",
                advice="Give a number above 0; 0.01 is one percentage point per 100 um",
            )


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
        Difference of the two slopes per um, and its standard error, by the comparison's errors.
    ci95 : (float, float)
        95 % confidence interval of the difference, likewise.
    p_value : float
        p of the depth x protocol interaction by the comparison's rule and errors.
    p_value_ar1, p_value_naive : float
        The same with AR(1) errors of each stack, and by the t-test that takes planes as
        independent.
    p_holm : float
        `p_value` after Holm's correction over the noise components; NaN for clean.
    cohen_d, hedges_g : float
        Difference of the means over all kept planes in pooled SDs of plane means.
    cohen_d_ci95 : (float, float)
        95 % interval of d from a bootstrap that keeps depths and curves (`effect_intervals`).
    cohen_d_class : str
        Class of d by the comparison's rule.
    f2 : float
        Cohen's f2 of the interaction.
    f2_class : str
        Class of f2.
    f2_ci95 : (float, float)
        95 % interval of f2, from the same bootstrap.
    equivalence_p_fixed, equivalence_p_gained, equivalence_p_difference : float
        p of each slope, and of their difference, being no smaller than the margin; NaN without
        one, and for the difference where its error has no t distribution.
    log_ratio_slope_difference_per_um, log_ratio_p_value : float
        Slope difference of the centred log-ratios (free of closure) and its p, AR(1) errors.
    log_ratio_ci95 : (float, float)
        Its 95 % confidence interval.
    """

    component: str
    fixed: SlopeFit
    gained: SlopeFit
    slope_difference_per_um: float
    se: float
    ci95: Interval
    p_value: float
    p_value_ar1: float
    p_value_naive: float
    p_holm: float
    cohen_d: float
    cohen_d_ci95: Interval
    cohen_d_class: str
    hedges_g: float
    f2: float
    f2_class: str
    f2_ci95: Interval = _UNKNOWN
    equivalence_p_fixed: float = _NAN
    equivalence_p_gained: float = _NAN
    equivalence_p_difference: float = _NAN
    log_ratio_slope_difference_per_um: float = _NAN
    log_ratio_ci95: Interval = _UNKNOWN
    log_ratio_p_value: float = _NAN


def component_effect(
    component: str,
    profiles: tuple[DepthProfile, DepthProfile],
    log_ratios: tuple[dict[str, SlopeFit], dict[str, SlopeFit]],
    choices: Choices,
) -> ComponentEffect:
    """Return what differs between two profiles in one component, before Holm's correction.

    Parameters
    ----------
    component : str
        Name of the strength.
    profiles : (DepthProfile, DepthProfile)
        Fixed and gained.
    log_ratios : (dict, dict)
        Lines of the centred log-ratios of both, from `log_ratio_fits`.
    choices : Choices
        How they are compared.
    """
    fits = profiles[0].fits[component], profiles[1].fits[component]
    by_depth = _by_depth(profiles[0], component), _by_depth(profiles[1], component)
    ar1 = ar1_difference(*fits)
    defined = all(fit.defined for fit in fits)
    p_naive, f2 = naive_interaction(*by_depth) if defined else (_NAN, _NAN)
    shown = _difference(by_depth, choices) if defined and choices.errors != "ar1" else ar1
    d = cohen_d(by_depth[0][1], by_depth[1][1])
    d_ci95, f2_ci95 = effect_intervals(*by_depth, n_samples=choices.n_bootstrap, seed=choices.seed)
    ratio = ar1_difference(log_ratios[0][component], log_ratios[1][component])
    return ComponentEffect(
        component=component,
        fixed=fits[0],
        gained=fits[1],
        slope_difference_per_um=shown.value,
        se=shown.se,
        ci95=shown.ci95,
        p_value=p_naive if choices.rule == "paper" else shown.p_value,
        p_value_ar1=ar1.p_value,
        p_value_naive=p_naive,
        p_holm=_NAN,
        cohen_d=d,
        cohen_d_ci95=d_ci95,
        cohen_d_class=classify(d, D_CLASSES_PAPER if choices.rule == "paper" else D_CLASSES),
        hedges_g=hedges_g(d, len(by_depth[0][1]), len(by_depth[1][1])),
        f2=f2,
        f2_class=classify(f2, F2_CLASSES),
        f2_ci95=_UNKNOWN if np.isnan(f2) else f2_ci95,
        **_equivalence(fits, shown, choices.margin_per_100_um),
        log_ratio_slope_difference_per_um=ratio.value,
        log_ratio_ci95=ratio.ci95,
        log_ratio_p_value=ratio.p_value,
    )


def _known(what: str, chosen: str, known: tuple[str, ...]) -> None:
    if chosen not in known:
        raise InputError(
            f"there is no {what} {chosen!r}", advice=f"Choose one of {', '.join(known)}"
        )


def _difference(by_depth: tuple[Series, Series], choices: Choices) -> Difference:
    if choices.errors == "paired":
        return paired_difference(*by_depth)
    return bootstrap_difference(*by_depth, n_samples=choices.n_bootstrap, seed=choices.seed)


def _equivalence(
    fits: tuple[SlopeFit, SlopeFit], difference: Difference, margin_per_100_um: float | None
) -> dict[str, float]:
    if margin_per_100_um is None:
        return {}
    margin = margin_per_100_um / 100
    found = {
        f"equivalence_p_{name}": equivalence_p(fit.slope_per_um, fit.se, fit.dof, margin)
        for name, fit in zip(("fixed", "gained"), fits, strict=True)
    }
    p = equivalence_p(difference.value, difference.se, difference.dof, margin)
    return {**found, "equivalence_p_difference": p}


def _by_depth(profile: DepthProfile, component: str) -> Series:
    """Return depth and value of the kept planes in order of depth (of planes if unknown)."""
    depth, value = profile.depth_um[profile.kept], profile.of(component)[profile.kept]
    known = np.isfinite(depth)
    if not known.any() or np.ptp(depth[known]) == 0:
        return np.arange(len(value), dtype=np.float64), value
    order = np.argsort(depth[known], kind="stable")
    return depth[known][order], value[known][order]
