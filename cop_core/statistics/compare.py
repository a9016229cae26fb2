"""Two protocols side by side: does the noise grow less with depth, and by how much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cop_core.errors import InputError
from cop_core.recipes import ComparisonOptions
from cop_core.records import AnalysedProfile, Comparison, ComponentEffect
from cop_core.records.arrays import UNKNOWN
from cop_core.statistics.analysis import analyse_all
from cop_core.statistics.caveats import ONE_STACK, protocol_closure, settings_caveat
from cop_core.statistics.depths import within
from cop_core.statistics.effect_intervals import effect_intervals
from cop_core.statistics.effect_size import F2_CLASSES, class_of_d, classify, cohen_d, hedges_g
from cop_core.statistics.significance import equivalence_p, holm
from cop_core.statistics.slope_difference import (
    Series,
    SlopeDifference,
    ar1_difference,
    bootstrap_difference,
    naive_interaction,
    paired_difference,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.recipes import Window
    from cop_core.records import DepthProfile, SlopeFit

_NAN = float("nan")


def compare(
    fixed: DepthProfile,
    gained: DepthProfile,
    options: ComparisonOptions | None = None,
    *,
    window_um: Window | None = None,
    **chosen: Any,
) -> Comparison:
    """Compare how each strength runs with depth under two protocols.

    Parameters
    ----------
    fixed, gained : DepthProfile
        Profiles with the same components. Differences are `fixed` minus `gained`.
    options : ComparisonOptions, optional
        How they are compared.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in um that enter, both included; None leaves a side open.
    **chosen
        Fields of `ComparisonOptions` in place of `options`.

    Raises
    ------
    InputError
        The profiles have different components, an option is out of range, the window holds
        no plane, or pairs are asked for where fewer than 8 planes share a depth.
    """
    options = (options or ComparisonOptions()).but(**chosen)
    check_components((fixed, gained))
    if window_um is not None:
        fixed, gained = within(fixed, window_um), within(gained, window_um)
    first, second = analyse_all((fixed, gained))
    return compare_analysed(first, second, options)


def compare_analysed(
    first: AnalysedProfile, second: AnalysedProfile, options: ComparisonOptions
) -> Comparison:
    """Compare profiles that are analysed already, as `compare` does, under their own names."""
    fixed, gained = first.profile, second.profile
    check_components((fixed, gained))
    effects = [_component_effect(c, first, second, options) for c in fixed.components]
    corrected = holm({e.component: e.p_value for e in effects})
    effects = [replace(e, p_holm=corrected[e.component]) for e in effects]
    caveats = [ONE_STACK, *settings_caveat(fixed, gained)]
    caveats += [*first.caveats, *second.caveats, *protocol_closure(effects)]
    return Comparison(first, second, tuple(effects), options, tuple(caveats))


def check_components(profiles: Sequence[DepthProfile]) -> None:
    """Refuse profiles that do not all have the same components, with an InputError."""
    first = profiles[0]
    for other in profiles[1:]:
        if other.components != first.components:
            raise InputError(
                f"{first.name!r} has the components {', '.join(first.components)} and "
                f"{other.name!r} has {', '.join(other.components)}",
                advice="Profile all stacks with the same estimator",
            )


def _component_effect(
    component: str, fixed: AnalysedProfile, gained: AnalysedProfile, options: ComparisonOptions
) -> ComponentEffect:
    """Return what differs in one component, before Holm's correction."""
    fits = fixed.lines[component], gained.lines[component]
    by_depth = _by_depth(fixed.profile, component), _by_depth(gained.profile, component)
    ar1 = ar1_difference(*fits)
    defined = all(fit.defined for fit in fits)
    p_naive, f2 = naive_interaction(*by_depth) if defined else (_NAN, _NAN)
    shown = _difference(by_depth, options) if defined and options.errors != "ar1" else ar1
    d = cohen_d(by_depth[0][1], by_depth[1][1])
    d_ci95, f2_ci95 = effect_intervals(*by_depth, n_samples=options.n_bootstrap, seed=options.seed)
    ratio = ar1_difference(fixed.log_ratios[component], gained.log_ratios[component])
    return ComponentEffect(
        component=component,
        fixed=fits[0],
        gained=fits[1],
        slope_difference_per_um=shown.value,
        se=shown.se,
        ci95=shown.ci95,
        p_value=p_naive if options.rule == "paper" else shown.p_value,
        p_value_ar1=ar1.p_value,
        p_value_naive=p_naive,
        p_holm=_NAN,
        cohen_d=d,
        cohen_d_ci95=d_ci95,
        cohen_d_class=class_of_d(d, options.rule),
        hedges_g=hedges_g(d, len(by_depth[0][1]), len(by_depth[1][1])),
        f2=f2,
        f2_class=classify(f2, F2_CLASSES),
        f2_ci95=UNKNOWN if np.isnan(f2) else f2_ci95,
        **_equivalence(fits, shown, options.margin_per_100_um),
        log_ratio_slope_difference_per_um=ratio.value,
        log_ratio_ci95=ratio.ci95,
        log_ratio_p_value=ratio.p_value,
    )


def _difference(by_depth: tuple[Series, Series], options: ComparisonOptions) -> SlopeDifference:
    if options.errors == "paired":
        return paired_difference(*by_depth)
    return bootstrap_difference(*by_depth, n_samples=options.n_bootstrap, seed=options.seed)


def _equivalence(
    fits: tuple[SlopeFit, SlopeFit],
    difference: SlopeDifference,
    margin_per_100_um: float | None,
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
