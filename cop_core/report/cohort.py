"""Reports of cohorts: the table, what settings correlate with, and what they drive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from cop_core.recipes import CohortRecipe, SettingValue
from cop_core.records import (
    Attribution,
    Coefficient,
    CohortRecord,
    CohortRow,
    Correlation,
    PictureRecord,
    Share,
)
from cop_core.report.columns import (
    PER_CENT,
    UNDEFINED,
    Column,
    Interval,
    Number,
    P,
    Results,
    TextTable,
    Whole,
    label,
)
from cop_core.report.csv_tables import csv_text
from cop_core.report.kinds import Kind, register
from cop_core.report.protocols import obstacles_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cop_core.records import FileIdentity, Provenance, Role
    from cop_core.report.columns import Tree

_MOST_BRIEF: Final = 8
"""Correlations that a terminal shows, those with the smallest p."""


class CohortPictureResults(Results):
    """One picture or stack; `error` says why it failed."""

    name: str
    path: str | None
    error: str | None


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
    """How a number of the pictures goes with a strength."""

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
    """What one factor makes of the attribution."""

    factor: str
    mean_abs_shap: Number
    share: Annotated[
        Number,
        Column("Share", "of what the settings explain", "%", PER_CENT, ".0f", "share_ci95"),
    ]
    share_ci95: Interval


class AttributionResults(Results):
    """What settings explain of one noise; `note` says why nothing is attributed."""

    mean: Annotated[Number, Column("Mean", "over rows", "%", PER_CENT, ".1f")]
    sd: Annotated[Number, Column("SD", "over rows", "%", PER_CENT, ".1f")]
    r2: Annotated[Number, Column("R²", "of rows that the surrogate has not seen", form=".2f")]
    r2_null95: Annotated[
        Number, Column("R² by chance", "95 % of permutations stay below", form=".2f")
    ]
    p_value: Annotated[Number, Column("p", "of permutations, over all noises", form=P)]
    note: str | None
    shares: tuple[ShareResults, ...]


class TurnResults(Results):
    """What to turn, and what it would change."""

    component: str
    setting: str
    usual: SettingValue
    best: SettingValue
    strength_usual: Number
    strength_best: Number
    change: Number
    change_ci95: Interval


class CohortDocument(Results):
    """What a cohort found."""

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
_VALUE: Final = CoefficientResults.chosen("value")["value"]
_P_HOLM: Final = CoefficientResults.chosen("p_holm")["p_holm"]
_SHARE: Final = ShareResults.chosen("share")["share"]


class CohortKind(Kind[CohortRecord]):
    """Reports of cohorts."""

    name = "cohort"
    schema_version = "1.0"
    record = CohortRecord
    results = CohortDocument
    file_name = "cohort.json"
    template = "cohort.html"
    owned = ("figures/*", "shap.csv")

    def state(self, record: CohortRecord) -> CohortDocument:
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

    def caveats(self, record: CohortRecord) -> tuple[str, ...]:
        return record.caveats

    def recipe(self, record: CohortRecord) -> CohortRecipe:
        return record.recipe

    def obstacles(self, record: CohortRecord) -> Iterator[str]:
        for each in record.pictures:
            if each.profile is not None:
                yield from (
                    f"{each.row.name}: {what}" for what in obstacles_of(each.profile.provenance)
                )

    def provenances(self, record: CohortRecord) -> dict[str, Provenance]:
        found: dict[str, Provenance] = {}
        for each in record.pictures:
            if each.profile is not None and each.profile.provenance is not None:
                found[each.row.name] = each.profile.provenance
            if each.quality is not None and each.row.reference is not None:
                found[each.row.reference.name or ""] = each.quality.reference
        return found

    def inputs(self, record: CohortRecord) -> dict[str, dict[Role, FileIdentity]]:
        return {each.row.name: each.inputs for each in record.pictures if each.inputs}

    def tables(self, record: CohortRecord, document: Tree, *, brief: bool) -> list[TextTable]:
        found = [_attributions(document), _correlations(document, brief=brief)]
        return [table for table in found if table.rows]

    def texts(self, record: CohortRecord, document: Tree) -> dict[str, str]:
        found = {
            "cohort.csv": csv_text(_csv_rows(document)),
            "correlations.csv": csv_text(_csv_correlations(document)),
        }
        if any(each.drawn for each in record.attributions):
            found["shap.csv"] = csv_text(_csv_shap(record))
        return found

    def figures(self, record: CohortRecord) -> Mapping[str, Callable[[], Figure]]:
        return figures_of(record)


def figures_of(record: CohortRecord) -> dict[str, Callable[[], Figure]]:
    """Return what draws the figures of a cohort, by name, the most telling first."""
    from cop_core.report import cohort_figures as draw

    found: dict[str, Callable[[], Figure]] = {}
    if any(each.drawn for each in record.attributions):
        found |= {
            "sankey": partial(draw.sankey_figure, record),
            "shares": partial(draw.shares_figure, record),
            "beeswarm": partial(draw.beeswarm_figure, record),
            "dependence": partial(draw.dependence_figure, record),
        }
    found["correlations"] = partial(draw.correlations_figure, record)
    if any(each.quality for each in record.pictures):
        found["quality"] = partial(draw.quality_figure, record)
    return found


def _picture(each: PictureRecord) -> CohortPictureResults:
    return CohortPictureResults(
        name=each.row.name, path=each.row.picture.source, error=each.error or None
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


# --- tables --------------------------------------------------------------------------------------


def _attributions(document: Tree) -> TextTable:
    rows = []
    for component, found in document["attributions"].items():
        shares = [f"{s['factor']} {_SHARE.text(s['share'])} %" for s in found["shares"][:3]]
        numbers = (ATTRIBUTION[key].cell(key, found) for key in ("mean", "r2", "p_value"))
        rows.append((label(component), *numbers, ", ".join(shares) or found["note"] or UNDEFINED))
    heads = (ATTRIBUTION[key].title for key in ("mean", "r2", "p_value"))
    return TextTable(
        "What drives each noise",
        ("noise", *heads, "attributed to"),
        tuple(rows),
        "R² of pictures that the surrogate has not seen; p corrected over the noises",
    )


def _correlations(document: Tree, *, brief: bool) -> TextTable:
    found = [c for c in document["correlations"] if c["spearman"]["value"] is not None]
    if brief:
        found = [c for c in found if c["component"] not in document["uncertain"]]
        found = sorted(found, key=lambda c: -abs(c["spearman"]["value"]))[:_MOST_BRIEF]
    kinds = ("spearman",) if brief else ("spearman", "pearson")
    rows = tuple(
        (
            each["what"],
            label(each["component"]),
            *(
                cell
                for kind in kinds
                for cell in (
                    _VALUE.cell("value", each[kind]),
                    _P_HOLM.cell("p_holm", each[kind]),
                )
            ),
        )
        for each in found
    )
    heads = [head for kind in kinds for head in (f"{kind.capitalize()} [95 % CI]", "p (Holm)")]
    title = "Strongest correlations" if brief else "Correlations"
    return TextTable(title, ("setting", "strength", *heads), rows)


def _csv_rows(document: Tree) -> Iterator[list[Any]]:
    """Yield a header, then every row of the table; one for each picture that failed."""
    settings = list(dict.fromkeys(key for row in document["rows"] for key in row["settings"]))
    components = document["components"]
    doubts = [f"{component}_uncertainty" for component in components]
    numbers = ["photons_at_full_scale", "psnr_db", "ssim"]
    yield ["picture", "plane", "group", *settings, *components, *doubts, *numbers, "error"]
    for row in document["rows"]:
        yield [
            *(row["picture"], row["plane"], row["group"]),
            *(row["settings"].get(key) for key in settings),
            *(row["strengths"][component] for component in components),
            *(row["uncertainty"][component] for component in components),
            *(row[key] for key in numbers),
            None,
        ]
    blank = [None] * (len(settings) + 2 * len(components) + len(numbers))
    for picture in document["pictures"]:
        if picture["error"]:
            yield [picture["name"], None, None, *blank, picture["error"]]


def _csv_correlations(document: Tree) -> Iterator[list[Any]]:
    parts = ("value", "ci95_low", "ci95_high", "p_value", "p_holm")
    heads = [f"{kind}_{part}" for kind in ("pearson", "spearman") for part in parts]
    yield ["what", "component", "n", "n_groups", *heads]
    for each in document["correlations"]:
        values = [
            value
            for kind in ("pearson", "spearman")
            for found in [each[kind]]
            for value in (found["value"], *found["ci95"], found["p_value"], found["p_holm"])
        ]
        yield [each["what"], each["component"], each["n"], each["n_groups"], *values]


def _csv_shap(record: CohortRecord) -> Iterator[list[Any]]:
    """Yield a header, then the SHAP values of every row and noise that is attributed."""
    yield ["picture", "plane", "component", *record.factors]
    for each in record.attributions:
        for row, values in zip(record.rows, each.shap.tolist(), strict=False):
            yield [row.picture, row.plane, each.component, *values]


register(CohortKind())
