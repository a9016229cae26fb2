"""The results of protocols in report.json: every key with its display and meaning.

Strengths are fractions of 1, slopes fractions per µm.
"""

from __future__ import annotations

from typing import Annotated, Final

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
    Truth,
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
    """Return a column that appears only among all statistics."""
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
            "95 % interval of the slope if this tissue were imaged again, from the distances of "
            "planes from the line between their neighbours"
        ),
    ]


class BendResults(Results):
    """Depth at which the curve of one component bends most."""

    depth_um: Annotated[Number, Column("Bend", "", "µm", form=".0f", interval="ci95_um")]
    ci95_um: Interval
    p_value: Annotated[Number, _p("p value of there being no bend", "")]
    shallow_slope_per_um: Annotated[Number, _slope("Slope above", "")]
    deep_slope_per_um: Annotated[Number, _slope("Slope below", "")]
    note: str


class UsableDepthResults(Results):
    """How deep a stack is usable."""

    level: Annotated[
        Number,
        Column(
            "Shot noise usable to",
            "depth at which the smoothed Poisson strength rises above the level",
            "µm",
            form=".0f",
            interval="level_ci95",
        ),
    ]
    level_ci95: Annotated[
        Interval,
        _said(
            "95 % interval if this tissue were imaged again; an end beyond the planes is undefined"
        ),
    ]
    level_deeper_than: Annotated[Number, _said("last plane, if the level is not reached")]
    level_shallower_than: Annotated[Number, _said("first plane, if all planes are above the level")]
    level_reading_shift: Annotated[
        Number,
        Column(
            "Reading error of that depth, ±",
            "how much the stated uncertainty of the readings would shift the level depth",
            "µm",
            form=".0f",
        ),
    ]
    level_from: Annotated[
        Number,
        _said("if shot noise is above the level at the top too, the depth from which it is not"),
    ]
    level_power_mw: Annotated[Number, _said("power at the level depth")]
    level_energy_mj_s: Annotated[
        Number,
        Column(
            "Energy to this depth",
            "energy on the sample over the planes down to the level depth",
            "mJ per second per plane",
            form=".0f",
        ),
    ]
    level_strength: Annotated[Number, _said("the level, as Poisson strength")]
    level_photons: Annotated[Number, _said("the level, as photons at full scale")]
    signal: Annotated[
        Number,
        Column(
            "Signal to",
            "last plane before three in a row, or all to the end, without signal",
            "µm",
            form=".0f",
            interval="signal_ci95",
        ),
    ]
    signal_ci95: Annotated[Interval, _said("95 % interval")]
    signal_deeper_than: Annotated[Number, _said("last plane, if the signal is not lost")]
    signal_energy_mj_s: Annotated[
        Number,
        Column(
            "Energy to this depth",
            "energy on the sample over the planes down to the signal depth",
            "mJ per second per plane",
            form=".0f",
        ),
    ]


class LineResults(SlopeResults):
    """The line of one component of one protocol."""

    intercept: Annotated[Number, _said("strength of the line at depth 0")]
    r2: Annotated[
        Number,
        Column(
            "R²",
            "share of the variance over depth that the straight line explains",
            form=".2f",
            interval="r2_ci95",
        ),
    ]
    r2_ci95: Annotated[
        Interval,
        _said(
            "95 % interval of R² of the expected readings; only an upper limit if it starts at 0"
        ),
    ]
    se: Annotated[Number, _said("standard error of the slope")]
    p_value: Annotated[Number, _p("p", "two-sided p of the slope being zero")]
    dof: Annotated[Number, _said("degrees of freedom of the slope's interval and p")]
    reading_limit_per_um: Annotated[
        Number,
        _slope(
            "Reading limit",
            "slope that a bias of the readings as large as their stated uncertainty could cause",
        ),
    ]
    se_ols: Annotated[Number, _said("standard error from the straight line")]
    ci95_ols: Annotated[Interval, _said("interval from the straight line")]
    p_value_ols: Annotated[Number, _said("p from the straight line")]
    error_correlation: Annotated[
        Number,
        _said("correlation of neighbouring planes' errors; 0 where planes are over 10 µm apart"),
    ]
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
            "slope of the centred log-ratio, log(strength / geometric mean of all), which is not "
            "just a consequence of changes in the others"
        ),
    ]
    bend: Annotated[
        BendResults,
        _said(
            "depth at which the smoothed curve bends most, with its interval, the p value of "
            "there being no bend, and the slopes above and below it"
        ),
    ]
    n_planes: Annotated[Whole, Column("Planes", "planes in the fit", form="d")]
    n_excluded: Annotated[Whole, _said("planes left out of the fit")]


class SlopeDifferenceResults(Results):
    """Effect of a protocol on the slope of one component, first minus second."""

    slope_difference_per_um: Annotated[
        Number,
        _slope(
            "Slope difference",
            "slope of the first protocol minus slope of the second: the interaction of depth and "
            "protocol",
            "slope_difference_ci95",
        ),
    ]
    slope_difference_ci95: Annotated[Interval, _said("95 % interval of the slope difference")]
    p_holm: Annotated[
        Number,
        _p(
            "p (Holm)",
            "p of the slope difference after Holm correction over the noise components",
        ),
    ]


class DifferenceResults(SlopeDifferenceResults):
    """Effect of a protocol on one component; differences are first minus second."""

    se: Annotated[Number, _said("standard error of the slope difference")]
    dof: Annotated[Number, _said("degrees of freedom of its interval and p")]
    reading_limit_per_um: Annotated[
        Number,
        _slope(
            "Reading limit",
            "slope difference that a bias of the readings as large as their stated uncertainty "
            "could cause; a smaller difference cannot be told from reading error",
        ),
    ]
    called: Annotated[
        Truth,
        _said("whether p (Holm) is below 0.05 and the difference is above the reading limit"),
    ]
    mean_difference: Annotated[
        Number,
        Column(
            "Mean difference",
            "difference of the means over the compared depths",
            "%",
            PER_CENT,
            "+z.1f",
            interval="mean_difference_ci95",
        ),
    ]
    mean_difference_ci95: Annotated[Interval, _said("95 % interval of the mean difference")]
    mean_p_value: Annotated[Number, _said("two-sided p of the mean difference being zero")]
    mean_p_holm: Annotated[Number, _said("the same after Holm correction")]
    mean_reading_limit: Annotated[Number, _said("reading limit of the mean difference")]
    mean_called: Annotated[Truth, _said("whether the mean difference is called, as for the slope")]
    p_value: Annotated[Number, _p("p", "two-sided p of the slope difference being zero")]
    cohen_d: Annotated[
        Number,
        Column(
            "Cohen's d",
            "difference of the means over the compared depths, in pooled standard deviations of "
            "plane means; its class is that of the end of its interval nearer to 0 (0.2 small, "
            "0.5 medium, 0.8 large)",
            form="+z.2f",
            interval="cohen_d_ci95",
            size="cohen_d_class",
        ),
    ]
    cohen_d_ci95: Annotated[
        Interval,
        _said(
            "95 % interval of d between the expected readings; errors of the readings make the d "
            "that was read smaller, so that it may lie at an end"
        ),
    ]
    cohen_d_class: str
    hedges_g: Annotated[
        Number, Column("Hedges' g", "Cohen's d without its small-sample bias", form="+z.2f")
    ]
    equivalence_p_first: Annotated[
        Number,
        _p(
            "p (margin), first",
            "p of the slope of the first protocol lying outside the margin that counts as "
            "negligible (two one-sided tests)",
        ),
    ]
    equivalence_p_second: Annotated[
        Number, _p("p (margin), second", "the same for the second protocol")
    ]
    equivalence_p_difference: Annotated[
        Number, _p("p (margin)", "the same for the slope difference")
    ]


class BandResults(Results):
    """Smoothed difference along depth, with its simultaneous 95 % band."""

    depth_um: tuple[Number, ...]
    value: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]


class EffectResults(DifferenceResults):
    """The same, from one stack each."""

    band: Annotated[
        BandResults,
        _said(
            "smoothed difference along depth, with its simultaneous 95 % band; the band covers "
            "the smoothed difference, which rounds off a sharp bend"
        ),
    ]

    differs_from_um: Annotated[
        Number,
        Column(
            "Differs from",
            "shallowest depth at which the simultaneous 95 % band of the difference excludes 0",
            "µm",
            form=".0f",
        ),
    ]
    error_correlation: Annotated[
        Number,
        _said("correlation of neighbouring planes' errors; 0 where planes are over 10 µm apart"),
    ]
    p_value_naive: Annotated[
        Number, _said("p with straight lines and independent planes, as in the paper")
    ]
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
    log_ratio_slope_difference_per_um: Annotated[
        Number,
        _said("difference of the slopes of the centred log-ratios"),
    ]
    log_ratio_ci95: Annotated[Interval, _said("95 % interval of that difference")]
    log_ratio_p_value: Annotated[Number, _said("two-sided p of that difference being zero")]


class ArmsEffectResults(DifferenceResults):
    """The same, from several stacks each, animal by animal."""

    first_slope_per_um: Annotated[Number, _said("slope of the first arm, mean over animals")]
    first_ci95: Annotated[Interval, _said("95 % interval of that slope")]
    second_slope_per_um: Annotated[Number, _said("slope of the second arm")]
    second_ci95: Annotated[Interval, _said("95 % interval of that slope")]
    first_stacks: Annotated[
        tuple[Number, ...], _said("slope of each stack of the first arm, over the depths of all")
    ]
    second_stacks: Annotated[tuple[Number, ...], _said("slope of each stack of the second arm")]


class UsableDifferenceResults(Results):
    """How much deeper the first stack is usable; undefined ends lie beyond the planes."""

    level: Number
    level_ci95: Interval
    signal: Number
    signal_ci95: Interval


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
    usable_depth_um: UsableDepthResults
    components: dict[str, LineResults]


class ComparisonResults(Results):
    """Two protocols."""

    difference: str
    rule: Rule
    window_um: Interval
    n_pairs: Whole
    n_dropped: Whole
    same_tissue: Truth
    tissue_correlation: Number
    shift_um: Interval
    usable_depth_um: dict[Name, UsableDepthResults]
    usable_difference_um: UsableDifferenceResults
    components: dict[str, EffectResults]


class ProfileDocument(Results):
    """Results of one stack."""

    verdict: str
    protocols: dict[Name, ProtocolResults]
    sensitivity: dict[str, dict[Name, dict[str, SlopeResults]]]


class ComparisonDocument(ProfileDocument):
    """Results of two stacks."""

    comparison: ComparisonResults


LINE: Final = LineResults.chosen(
    "mean", "uncertainty", "slope_per_um", "p_value", "reading_limit_per_um", "r2", "n_planes"
)
LINE_BRIEFLY: Final = LineResults.chosen("mean", "slope_per_um")
BEND: Final = LineResults.chosen(
    *(f"bend.{key}" for key in ("depth_um", "p_value", "shallow_slope_per_um", "deep_slope_per_um"))
)
EFFECT: Final = EffectResults.chosen(
    *("slope_difference_per_um", "p_holm", "reading_limit_per_um", "mean_difference"),
    *("cohen_d", "hedges_g", "f2", "differs_from_um"),
)
ARMS_EFFECT: Final = ArmsEffectResults.chosen(
    *("slope_difference_per_um", "p_holm", "reading_limit_per_um", "mean_difference"),
    *("cohen_d", "hedges_g"),
)
EFFECT_BRIEFLY: Final = EffectResults.chosen(
    "slope_difference_per_um", "p_holm", "reading_limit_per_um"
)
USABLE: Final = UsableDepthResults.chosen(
    "level", "level_reading_shift", "level_energy_mj_s", "signal", "signal_energy_mj_s"
)
EQUIVALENCE: Final = EffectResults.chosen("equivalence_p_difference")
EQUIVALENCE_BRIEFLY: Final = EffectResults.chosen("equivalence_p_first", "equivalence_p_second")
