"""The effect of two protocols on one component, plane by plane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cop_core.records import Band, ComponentDifference, ComponentEffect
from cop_core.statistics.contrast import Contrast, mean_weights, slope_weights
from cop_core.statistics.depth_order import by_depth
from cop_core.statistics.effect_size import F2_CLASSES, classify, cohen_d, hedges_g
from cop_core.statistics.local_smooth import band
from cop_core.statistics.log_ratios import clr
from cop_core.statistics.near_planes import ReadingErrors, reading_errors
from cop_core.statistics.paper_rule import interaction
from cop_core.statistics.reading_bootstrap import interval_of_d, interval_of_r2
from cop_core.statistics.significance import equivalence_p
from cop_core.statistics.slope import fit_slope
from cop_core.statistics.two_tissues import TwoTissues

if TYPE_CHECKING:
    from cop_core.recipes import ComparisonOptions
    from cop_core.records import DepthProfile, SlopeFit
    from cop_core.statistics.pairing import PairedPlanes
    from cop_core.statistics.plane_errors import PlaneErrors

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairedStrengths:
    """One component in the planes of two stacks at shared depths.

    Attributes
    ----------
    depth_um, first, second : ndarray of shape (n,)
        Depth ascending, no two equal, and strengths.
    doubt_first, doubt_second : ndarray of shape (n,)
        Their stated uncertainty.
    stated : bool
        Whether an uncertainty is stated.
    """

    depth_um: Array
    first: Array
    second: Array
    doubt_first: Array
    doubt_second: Array
    stated: bool

    @property
    def difference(self) -> Array:
        """First minus second, shape (n,)."""
        return self.first - self.second


def paired_strengths(
    component: str, first: DepthProfile, second: DepthProfile, pairs: PairedPlanes
) -> PairedStrengths:
    """Return one component of the planes of two stacks that are paired."""
    index = first.components.index(component)
    values = first.mean[pairs.first, index], second.mean[pairs.second, index]
    doubts = first.uncertainty[pairs.first, index], second.uncertainty[pairs.second, index]
    stated = bool(np.isfinite(doubts).all() and len(pairs))
    depth, a, b, u, v = by_depth(pairs.depth_um, *values, *map(np.nan_to_num, doubts))
    return PairedStrengths(depth, a, b, u, v, stated)


def pair_effect(
    component: str,
    first: DepthProfile,
    second: DepthProfile,
    pairs: PairedPlanes,
    options: ComparisonOptions,
    *,
    same_tissue: bool,
) -> ComponentEffect:
    """Return the differences in one component, before Holm's correction and the calls."""
    found = paired_strengths(component, first, second, pairs)
    lines = _lines(found, options, same_tissue=same_tissue)
    if not all(line.defined for line in lines):
        return ComponentEffect(component, *lines)
    errors = difference_of(found.depth_um, found.first, found.second, same_tissue=same_tissue)
    doubt = np.hypot(found.doubt_first, found.doubt_second)
    doubt = doubt if found.stated else np.full(len(doubt), np.nan)
    slope, mean = (
        errors.contrast(weigh(found.depth_um)) for weigh in (slope_weights, mean_weights)
    )
    limit = float(np.abs(slope_weights(found.depth_um)) @ doubt)
    p_naive, f2 = interaction(found.depth_um, found.first, found.second)
    d = cohen_d(found.first, found.second)
    of_each = reading_errors(found.depth_um, found.first, found.second, same_tissue=same_tissue)
    n_samples, seed = options.n_bootstrap, options.seed
    if same_tissue:
        lines = _with_r2(lines, found, of_each, slope.dof, options)
    return ComponentEffect(
        component,
        lines[0],
        lines[1],
        ComponentDifference(
            slope_difference_per_um=slope.value,
            se=slope.se,
            dof=slope.dof,
            slope_difference_ci95=slope.ci95,
            p_value=p_naive if options.rule == "paper" else slope.p_value,
            reading_limit_per_um=limit,
            mean_difference=mean.value,
            mean_difference_ci95=mean.ci95,
            mean_p_value=mean.p_value,
            mean_reading_limit=float(doubt.mean()),
            cohen_d=d,
            cohen_d_ci95=interval_of_d(
                found.first, found.second, of_each, mean.dof, samples=n_samples, seed=seed
            ),
            hedges_g=hedges_g(d, len(found.first), len(found.second)),
            **_equivalence(lines, slope, limit, options.margin_per_100_um),
        ),
        band=(
            band(found.depth_um, found.difference, n_samples=n_samples, seed=seed)
            if same_tissue
            else Band()
        ),
        p_value_naive=p_naive,
        f2=f2,
        f2_class=classify(f2, F2_CLASSES),
        **_log_ratio(component, first, second, pairs, same_tissue=same_tissue),
        error_correlation=max(each.rho for each in of_each),
    )


def _lines(
    found: PairedStrengths, options: ComparisonOptions, *, same_tissue: bool
) -> tuple[SlopeFit, SlopeFit]:
    """Return the slopes of both stacks over the depths that both keep.

    Without intervals of R2 where these follow from the pair.
    """
    columns = (found.first, found.doubt_first), (found.second, found.doubt_second)
    one, other = (
        fit_slope(
            found.depth_um,
            values,
            doubt if found.stated else None,
            samples=0 if same_tissue else options.n_bootstrap,
            seed=options.seed,
        )
        for values, doubt in columns
    )
    return one, other


def _with_r2(
    lines: tuple[SlopeFit, SlopeFit],
    found: PairedStrengths,
    errors: tuple[PlaneErrors, PlaneErrors],
    dof: float,
    options: ComparisonOptions,
) -> tuple[SlopeFit, SlopeFit]:
    """Return lines with intervals of R2 from the errors estimated from the pair."""
    one, other = (
        replace(
            line,
            r2_ci95=interval_of_r2(
                values, each, dof, samples=options.n_bootstrap, seed=options.seed
            ),
        )
        for line, values, each in zip(lines, (found.first, found.second), errors, strict=True)
    )
    return one, other


def difference_of(
    depth_um: Array, first: Array, second: Array, *, same_tissue: bool
) -> ReadingErrors | TwoTissues:
    """Return the difference of two stacks with its errors."""
    if same_tissue:
        return ReadingErrors.of(depth_um, first - second)
    return TwoTissues.of(depth_um, first, second)


def _equivalence(
    lines: tuple[SlopeFit, SlopeFit], slope: Contrast, limit: float, margin_per_100_um: float | None
) -> dict[str, Any]:
    """Return p of slopes being no smaller than a margin minus their reading limits."""
    if margin_per_100_um is None:
        return {}
    tested = {
        "first": (lines[0].slope_per_um, lines[0].se, lines[0].dof, lines[0].reading_limit_per_um),
        "second": (lines[1].slope_per_um, lines[1].se, lines[1].dof, lines[1].reading_limit_per_um),
        "difference": (slope.value, slope.se, slope.dof, limit),
    }
    return {
        f"equivalence_p_{name}": equivalence_p(value, se, dof, margin_per_100_um / 100 - b)
        for name, (value, se, dof, b) in tested.items()
    }


def _log_ratio(
    component: str,
    first: DepthProfile,
    second: DepthProfile,
    pairs: PairedPlanes,
    *,
    same_tissue: bool,
) -> dict[str, Any]:
    """Return the slope difference of the centred log-ratios."""
    index = first.components.index(component)
    ratios = clr(first.mean[pairs.first])[:, index], clr(second.mean[pairs.second])[:, index]
    columns = by_depth(pairs.depth_um, *ratios)
    errors = difference_of(*columns, same_tissue=same_tissue)
    found = errors.contrast(slope_weights(columns[0]))
    return {
        "log_ratio_slope_difference_per_um": found.value,
        "log_ratio_ci95": found.ci95,
        "log_ratio_p_value": found.p_value,
    }
