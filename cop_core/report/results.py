"""What report.json states of protocols: every key, how it is shown, and what it means.

Strengths are fractions of 1, slopes fractions per um.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from cop_core.recipes import ReadingOptions, Window
from cop_core.recipes.comparison import Rule
from cop_core.report.columns import (
    PER_CENT,
    PER_CENT_PER_100_UM,
    SLOPE_UNIT,
    Column,
    Interval,
    Name,
    Number,
    P,
    Results,
    Whole,
)
from cop_core.report.facts import (
    ExcitationFacts,
    ExcludedPlane,
    ImageFacts,
    PhotonFacts,
    ValidityFacts,
)


def _slope(head: str, meaning: str, interval: str = "", note: str = "") -> Column:
    return Column(
        head, meaning, SLOPE_UNIT, PER_CENT_PER_100_UM, "+z.2f", interval=interval, note=note
    )


def _p(head: str, meaning: str) -> Column:
    return Column(head, meaning, form=P)


def _said(meaning: str) -> Column:
    """Return the column of what has a place among all statistics only."""
    return Column("", meaning)


class SlopeResults(Results):
    """A slope alone."""

    slope_per_um: Annotated[
        Number,
        _slope("Slope", "ordinary least squares of plane means on depth", "slope_ci95", "note"),
    ]
    slope_ci95: Annotated[
        Interval,
        _said(
            "95 % interval of the slope, allowing for neighbouring planes resembling each other "
            "(first-order autocorrelation, AR(1), around a smooth curve)"
        ),
    ]


class BreakResults(Results):
    """Two lines that meet, of one component."""

    depth_um: Annotated[Number, Column("Break", "", "µm", form=".0f", interval="ci95_um")]
    ci95_um: Interval
    p_value: Annotated[Number, _p("p of no break", "")]
    shallow_slope_per_um: Annotated[Number, _slope("Slope above", "", "shallow_ci95")]
    shallow_ci95: Interval
    deep_slope_per_um: Annotated[Number, _slope("Slope below", "", "deep_ci95")]
    deep_ci95: Interval
    rho: Number
    note: str


class LineResults(SlopeResults):
    """The line of one component of one protocol."""

    intercept: Annotated[Number, _said("strength of the line at depth 0")]
    r2: Annotated[
        Number,
        Column(
            "R²", "share of the variance over depth that the straight line explains", form=".2f"
        ),
    ]
    se: Annotated[Number, _said("standard error of the slope, AR(1) errors")]
    p_value: Annotated[Number, _p("p", "two-sided p of the slope being zero")]
    se_ols: Annotated[Number, _said("the same with planes taken as independent")]
    ci95_ols: Annotated[Interval, _said("interval with planes taken as independent")]
    p_value_ols: Annotated[Number, _said("p with planes taken as independent")]
    rho: Annotated[Number, _said("correlation of neighbouring planes around the curve")]
    n_effective: Annotated[
        Number,
        Column(
            "Effective planes",
            "independent planes that the correlated ones are worth, n (1 − ρ) / (1 + ρ)",
            form=".1f",
        ),
    ]
    degree: Annotated[Whole, _said("of the polynomial that the smooth curve is")]
    r2_curve: Annotated[Number, _said("the same as r2 for a smooth curve")]
    p_curved: Annotated[Number, _said("p of the curve being no better than a line")]
    dof: Annotated[Number, _said("of the slope's interval and p")]
    note: str
    mean: Annotated[
        Number,
        Column(
            "Mean",
            "mean strength over the planes in the fit; the strengths of a crop sum to 1",
            "%",
            PER_CENT,
            ".1f",
        ),
    ]
    sd: Annotated[Number, _said("standard deviation of plane means over the planes in the fit")]
    uncertainty: Annotated[
        Number,
        Column(
            "Uncertainty",
            "mean over planes of the network's own predictive standard deviation: 90 % of true "
            "strengths are expected within 1.645 of it",
            "%",
            PER_CENT,
            ".1f",
        ),
    ]
    log_ratio_slope_per_um: Annotated[
        Number,
        _said(
            "slope of the centred log-ratio, log(strength / geometric mean of all), which does "
            "not follow from the others' change"
        ),
    ]
    break_: Annotated[
        BreakResults,
        Field(alias="break"),
        _said(
            "two lines that meet: depth of the break with its interval, p of there being none, "
            "and the slopes above and below it"
        ),
    ]
    n_planes: Annotated[Whole, Column("Planes", "planes in the fit", form="d")]
    n_excluded: Annotated[Whole, _said("planes left out of the fit")]


class SlopeDifferenceResults(Results):
    """What a protocol does to the slope of one component, first minus second."""

    slope_difference_per_um: Annotated[
        Number,
        _slope(
            "Slope difference",
            "slope of the first protocol minus slope of the second: the interaction of depth and "
            "protocol",
            "ci95",
        ),
    ]
    ci95: Annotated[Interval, _said("95 % interval of the slope difference")]
    p_holm: Annotated[
        Number,
        _p(
            "p (Holm)",
            "p of the slope difference after Holm's correction over the noise components",
        ),
    ]


class DifferenceResults(SlopeDifferenceResults):
    """What a protocol does to one component; differences are first minus second."""

    se: Annotated[Number, _said("standard error of the slope difference")]
    p_value: Annotated[Number, _p("p", "two-sided p of the slope difference being zero")]
    cohen_d: Annotated[
        Number,
        Column(
            "Cohen's d",
            "difference of the means over all kept planes in pooled standard deviations of plane "
            "means (0.2 small, 0.5 medium, 0.8 large)",
            form="+z.2f",
            interval="cohen_d_ci95",
            size="cohen_d_class",
        ),
    ]
    cohen_d_ci95: Annotated[Interval, _said("95 % interval of d")]
    cohen_d_class: str
    hedges_g: Annotated[
        Number, Column("Hedges' g", "Cohen's d without its small-sample bias", form="+z.2f")
    ]
    equivalence_p_fixed: Annotated[
        Number,
        _p(
            "p (margin), first",
            "p of the slope of the first protocol lying outside the margin that counts as none "
            "(two one-sided tests)",
        ),
    ]
    equivalence_p_gained: Annotated[
        Number, _p("p (margin), second", "the same for the second protocol")
    ]
    equivalence_p_difference: Annotated[
        Number, _p("p (margin)", "the same for the slope difference")
    ]


class EffectResults(DifferenceResults):
    """The same from one stack each."""

    p_value_ar1: Annotated[
        Number, _said("p of the slope difference with AR(1) errors in each stack")
    ]
    p_value_naive: Annotated[Number, _said("p with planes taken as independent")]
    f2: Annotated[
        Number,
        Column(
            "Cohen's f²",
            "Cohen's f² of the interaction (0.02 small, 0.15 medium, 0.35 large)",
            form=".2f",
            size="f2_class",
        ),
    ]
    f2_class: str
    f2_ci95: Annotated[Interval, _said("95 % interval of f²")]
    log_ratio_slope_difference_per_um: Annotated[
        Number,
        _said("difference of the slopes of the centred log-ratios"),
    ]
    log_ratio_ci95: Annotated[Interval, _said("95 % interval of that difference, AR(1) errors")]
    log_ratio_p_value: Annotated[Number, _said("two-sided p of that difference being zero")]


class ArmsEffectResults(DifferenceResults):
    """The same from several stacks each: a linear mixed model."""

    fixed_slope_per_um: Annotated[Number, _slope("Slope, fixed", "slope of the arm", "fixed_ci95")]
    fixed_se: Number
    fixed_ci95: Interval
    gained_slope_per_um: Annotated[
        Number, _slope("Slope, gained", "slope of the arm", "gained_ci95")
    ]
    gained_se: Number
    gained_ci95: Interval
    dof: Annotated[Number, _said("of all intervals and p")]
    n_stacks: Whole
    n_animals: Whole
    n_planes: Whole
    note: str


class ProtocolResults(Results):
    """One stack."""

    n_planes_total: Whole
    depth_range_um: Interval | None
    cap_depth_um: Number
    excluded: tuple[ExcludedPlane, ...]
    image: ImageFacts
    excitation: ExcitationFacts
    validity: ValidityFacts
    photons: PhotonFacts | None
    reading: ReadingOptions
    window_um: Window | None
    components: dict[str, LineResults]


class ComparisonResults(Results):
    """Two protocols."""

    difference: str
    rule: Rule
    components: dict[str, EffectResults]


class ProfileDocument(Results):
    """What is found of one stack."""

    protocols: dict[Name, ProtocolResults]
    sensitivity: dict[str, dict[Name, dict[str, SlopeResults]]]


class ComparisonDocument(ProfileDocument):
    """What is found of two stacks."""

    comparison: ComparisonResults


LINE: Final = LineResults.chosen(
    "mean", "uncertainty", "slope_per_um", "p_value", "r2", "n_planes", "n_effective"
)
LINE_BRIEFLY: Final = LineResults.chosen("mean", "slope_per_um", "r2")
BREAK: Final = LineResults.chosen(
    *(
        f"break.{key}"
        for key in ("depth_um", "p_value", "shallow_slope_per_um", "deep_slope_per_um")
    )
)
EFFECT: Final = EffectResults.chosen(
    "slope_difference_per_um", "p_value", "p_holm", "cohen_d", "hedges_g", "f2"
)
ARMS_EFFECT: Final = ArmsEffectResults.chosen(
    "slope_difference_per_um", "p_value", "p_holm", "cohen_d", "hedges_g"
)
EFFECT_BRIEFLY: Final = EffectResults.chosen("slope_difference_per_um", "p_holm", "cohen_d")
EQUIVALENCE: Final = EffectResults.chosen("equivalence_p_difference")
EQUIVALENCE_BRIEFLY: Final = EffectResults.chosen("equivalence_p_fixed", "equivalence_p_gained")
