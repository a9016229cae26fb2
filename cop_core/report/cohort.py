"""Reports of cohorts: the table, what settings correlate with, and what they drive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cop_core.recipes import COHORT_FILE
from cop_core.records import CohortRecord
from cop_core.report.cohort_results import (
    ATTRIBUTION,
    COEFFICIENT,
    P_HOLM,
    SHARE,
    CohortDocument,
    cohort_document,
)
from cop_core.report.columns import UNDEFINED, TextTable, label
from cop_core.report.csv_tables import csv_text
from cop_core.report.kinds import Kind, register
from cop_core.report.protocols import obstacles_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cop_core.recipes import CohortRecipe
    from cop_core.records import FileIdentity, Provenance, Role
    from cop_core.report.columns import Tree

_MOST_BRIEF: Final = 8
"""Number of correlations shown in a terminal, those with the smallest p."""


class CohortKind(Kind[CohortRecord]):
    """Reports of cohorts."""

    name = "cohort"
    schema_version = "1.2"
    record = CohortRecord
    results = CohortDocument
    file_name = COHORT_FILE
    template = "cohort.html"
    owned = (
        "shap.csv",
        *(f"figures/{n}.*" for n in ("sankey", "shares", "beeswarm", "dependence", "quality")),
    )

    def state(self, record: CohortRecord) -> CohortDocument:
        return cohort_document(record)

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
    """Return functions that draw the figures of a cohort, by name, the most informative first."""
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


# --- tables --------------------------------------------------------------------------------------


def _attributions(document: Tree) -> TextTable:
    rows = []
    for component, found in document["attributions"].items():
        shares = [f"{s['factor']} {SHARE.text(s['share'])} %" for s in found["shares"][:3]]
        numbers = (ATTRIBUTION[key].cell(key, found) for key in ("mean", "r2", "p_value"))
        rows.append((label(component), *numbers, ", ".join(shares) or found["note"] or UNDEFINED))
    heads = (ATTRIBUTION[key].title for key in ("mean", "r2", "p_value"))
    return TextTable(
        "What drives each noise",
        ("noise", *heads, "attributed to"),
        tuple(rows),
        "R² for images that the surrogate has not seen; p corrected over the noises",
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
                    COEFFICIENT.cell("value", each[kind]),
                    P_HOLM.cell("p_holm", each[kind]),
                )
            ),
        )
        for each in found
    )
    heads = [head for kind in kinds for head in (f"{kind.capitalize()} [95 % CI]", "p (Holm)")]
    title = "Strongest correlations" if brief else "Correlations"
    return TextTable(title, ("setting", "strength", *heads), rows)


def _csv_rows(document: Tree) -> Iterator[list[Any]]:
    """Yield a header, then every row of the table; one for each image that failed."""
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
