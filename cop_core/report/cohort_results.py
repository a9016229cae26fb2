"""The results of a cohort in a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from cop_core.recipes import SettingValue
from cop_core.report.columns import PER_CENT, Column, Interval, Number, P, Results, Whole

if TYPE_CHECKING:
    from cop_core.records import (
        Attribution,
        Coefficient,
        CohortRecord,
        CohortRow,
        Correlation,
        PictureRecord,
        Share,
    )


class CohortPictureResults(Results):
    """One image or stack; `error` says why it failed, `reference_error` why its reference did."""

    name: str
    path: str | None
    error: str | None
    reference_error: str | None = None


class CohortRowResults(Results):
    """One row of the table."""

    picture: str
    plane: Whole
    group: str
    settings: dict[str, SettingValue]
    strengths: dict[str, Number]
    uncertainty: dict[str, Number]
    photons_at_full_scale: Number
    psnr_db: Number
    ssim: Number


class CoefficientResults(Results):
    """A correlation coefficient."""

    value: Annotated[
        Number,
        Column("Coefficient", "correlation over rows", form="+.2f", interval="ci95"),
    ]
    ci95: Interval
    p_value: Number
    p_holm: Annotated[Number, Column("p (Holm)", "corrected over the cohort", form=P)]


class CorrelationResults(Results):
    """Correlation of a number of the images with a strength."""

    what: str
    component: str
    n: Whole
    n_groups: Whole
    pearson: CoefficientResults
    spearman: CoefficientResults


class ConfoundedResults(Results):
    """Two settings that were changed together."""

    first: str
    second: str
    association: Number


class ShareResults(Results):
    """Share of one factor in the attribution."""

    factor: str
    mean_abs_shap: Number
    share: Annotated[
        Number,
        Column("Share", "of what the settings explain", "%", PER_CENT, ".0f", "share_ci95"),
    ]
    share_ci95: Interval
    leads: Number


class AttributionResults(Results):
    """How far settings explain one noise; `note` says why nothing is attributed."""

    mean: Annotated[Number, Column("Mean", "over rows", "%", PER_CENT, ".1f")]
    sd: Annotated[Number, Column("SD", "over rows", "%", PER_CENT, ".1f")]
    r2: Annotated[Number, Column("R²", "for rows that the surrogate has not seen", form=".2f")]
    r2_null95: Annotated[
        Number, Column("R² by chance", "95 % of permutations stay below", form=".2f")
    ]
    p_value: Annotated[Number, Column("p", "of permutations, over all noises", form=P)]
    note: str | None
    shares: tuple[ShareResults, ...]


class TurnResults(Results):
    """Which setting to change, and what it would change."""

    component: str
    setting: str
    usual: SettingValue
    best: SettingValue
    strength_usual: Number
    strength_best: Number
    change: Number
    change_ci95: Interval


class CohortDocument(Results):
    """Result of a cohort."""

    verdict: str
    components: tuple[str, ...]
    settings: tuple[str, ...]
    left_out: dict[str, str]
    uncertain: tuple[str, ...]
    factors: tuple[str, ...]
    pictures: tuple[CohortPictureResults, ...]
    correlations: tuple[CorrelationResults, ...]
    confounded: tuple[ConfoundedResults, ...]
    attributions: dict[str, AttributionResults]
    turn: TurnResults | None
    next_experiment: str | None
    rows: tuple[CohortRowResults, ...]


ATTRIBUTION: Final = AttributionResults.chosen("mean", "sd", "r2", "r2_null95", "p_value")
COEFFICIENT: Final = CoefficientResults.chosen("value")["value"]
P_HOLM: Final = CoefficientResults.chosen("p_holm")["p_holm"]
SHARE: Final = ShareResults.chosen("share")["share"]


def cohort_document(record: CohortRecord) -> CohortDocument:
    """Return the results of a cohort for a document."""
    turn = record.turn
    return CohortDocument(
        verdict=record.verdict,
        components=record.components,
        settings=record.settings,
        left_out=record.left_out,
        uncertain=record.uncertain,
        factors=record.factors,
        pictures=tuple(map(_picture, record.pictures)),
        correlations=tuple(map(_correlation, record.correlations)),
        confounded=tuple(ConfoundedResults(**vars(pair)) for pair in record.confounded),
        attributions={each.component: _attribution(each) for each in record.attributions},
        turn=TurnResults(**vars(turn)) if turn else None,
        next_experiment=record.next_experiment or None,
        rows=tuple(_row(row, record.components) for row in record.rows),
    )


def _picture(each: PictureRecord) -> CohortPictureResults:
    return CohortPictureResults(
        name=each.row.name,
        path=each.row.picture.source,
        error=each.error or None,
        reference_error=each.reference_error or None,
    )


def _row(row: CohortRow, components: tuple[str, ...]) -> CohortRowResults:
    strengths, uncertainty = (
        dict(zip(components, values.tolist(), strict=True))
        for values in (row.strengths, row.uncertainty)
    )
    return CohortRowResults(
        picture=row.picture,
        plane=row.plane,
        group=row.group,
        settings=row.settings,
        strengths=strengths,
        uncertainty=uncertainty,
        photons_at_full_scale=row.photons,
        psnr_db=row.psnr_db,
        ssim=row.ssim,
    )


def _correlation(each: Correlation) -> CorrelationResults:
    return CorrelationResults(
        what=each.what,
        component=each.component,
        n=each.n,
        n_groups=each.n_groups,
        pearson=_coefficient(each.pearson),
        spearman=_coefficient(each.spearman),
    )


def _coefficient(found: Coefficient) -> CoefficientResults:
    return CoefficientResults(**vars(found))


def _attribution(each: Attribution) -> AttributionResults:
    return AttributionResults(
        mean=each.mean,
        sd=each.sd,
        r2=each.r2,
        r2_null95=each.r2_null95,
        p_value=each.p_value,
        note=each.note or None,
        shares=tuple(map(_share, each.shares)),
    )


def _share(share: Share) -> ShareResults:
    return ShareResults(**vars(share))
