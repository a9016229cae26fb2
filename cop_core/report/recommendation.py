"""Reports of a recommended power."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np

from cop_core.power import Recommendation, can_plan, power_csv, useq_plan
from cop_core.recipes import MW, AcquisitionOptions, PowerOptions, RecommendRecipe
from cop_core.report.columns import (
    PER_CENT,
    Column,
    Interval,
    Number,
    Results,
    TextTable,
    Truth,
    Whole,
)
from cop_core.report.kinds import Kind, register
from cop_core.report.protocols import obstacles_of, opened_as

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cop_core.records import Provenance
    from cop_core.report.columns import Tree

_MOST_ROWS: Final = 9


class LayerResults(Results):
    """One layer of tissue."""

    top_um: Number
    bottom_um: Number
    length_um: Annotated[
        Number,
        Column(
            "Length",
            "effective attenuation length; undefined if the signal does not fall",
            "µm",
            form=".0f",
            interval="length_ci95_um",
        ),
    ]
    length_ci95_um: Interval


class AttenuationResults(Results):
    """How the signal falls with depth."""

    excitation_order: Whole
    layers: tuple[LayerResults, ...]
    breaks_um: tuple[Number, ...]
    breaks_ci95_um: tuple[Interval, ...]
    rho: Number
    offset_counts: Number
    offset_error_counts: Number
    offset_estimated: Truth
    n_planes: Whole
    n_excluded: Whole


class HeldResults(Results):
    """The held quantity and its level."""

    quantity: str
    level: Number
    exponent_of_power: Number
    follow_um: Number


class LimitResults(Results):
    """The limit that no power exceeds."""

    max_power: Number
    max_rise: Number
    unit: str


class RecommendedPlane(Results):
    """The power to use at one depth."""

    depth_um: Annotated[Number, Column("Depth", "", "µm", form=".0f")]
    power: Annotated[Number, Column("Power", "power to use, in the unit of the limit", form=".2f")]
    wanted: Annotated[
        Number,
        Column("Wanted", "power that would hold the level without a limit", form=".2f"),
    ]
    wanted_low: Number
    wanted_high: Number
    expected: Number
    tissue: Number
    capped: Truth
    extrapolated: Truth


class MeasuredPlane(Results):
    """Measurement in one plane of the stack."""

    depth_um: Number
    power: Number
    signal_counts: Number
    held: Number
    reason: str


class EnergyResults(Results):
    """Energy of the curve, compared with two others at equal noise."""

    planes: Whole
    recommended: Annotated[Number, Column("Light", "power summed over planes", form=".1f")]
    fixed: Number
    exponential: Number
    fixed_power: Annotated[Number, Column("Fixed power", "", form=".1f")]
    exponential_p0: Number
    exponential_length_um: Annotated[Number, Column("Length of the law", "", "µm", form=".0f")]
    acquired: Number
    frame_time_s: Number
    unit: str = "sum of power over the planes that reach the level"
    recommended_mj: Number
    saving_on_fixed: Annotated[Number, Column("Recommended saves", "", "%", PER_CENT, ".0f")]
    saving_on_exponential: Number


class RecommendationDocument(Results):
    """Results of a recommendation."""

    verdict: str
    stack: str
    attenuation: AttenuationResults
    held: HeldResults
    limit: LimitResults
    cap_depth_um: Number
    planes: tuple[RecommendedPlane, ...]
    measured: tuple[MeasuredPlane, ...]
    energy: EnergyResults


class RecommendationKind(Kind[Recommendation]):
    """Reports of a recommended power; an acquisition plan lies beside where one is asked for."""

    name = "recommendation"
    schema_version = "3.0"
    record = Recommendation
    results = RecommendationDocument
    file_name = "recommendation.json"
    owned = ("plan.json",)

    def state(self, record: Recommendation) -> RecommendationDocument:
        held, energy = record.held, record.energy
        return RecommendationDocument(
            verdict=record.verdict,
            stack=record.attenuation.signal.name,
            attenuation=_attenuation(record),
            held=HeldResults(
                quantity=held.name,
                level=record.level,
                exponent_of_power=held.exponent,
                follow_um=held.tissue.over_um if held.tissue else 0.0,
            ),
            limit=LimitResults(**asdict(record.limit)),
            cap_depth_um=record.cap_depth_um,
            planes=tuple(_planes(record)),
            measured=tuple(_measured(record)),
            energy=EnergyResults(
                **vars(energy),
                recommended_mj=energy.recommended_mj if record.unit == MW else None,
                saving_on_fixed=energy.saving_on_fixed,
                saving_on_exponential=energy.saving_on_exponential,
            ),
        )

    def caveats(self, record: Recommendation) -> tuple[str, ...]:
        return record.notes

    def recipe(self, record: Recommendation) -> RecommendRecipe:
        limit, of_mw = record.limit.max_power, record.unit == MW
        power = PowerOptions(max_power_mw=limit) if of_mw else PowerOptions(max_power=limit)
        recipe = record.recipe or RecommendRecipe(power=power, acquisition=None)
        return recipe.but(stack=opened_as(recipe.stack, record.attenuation.signal.name))

    def obstacles(self, record: Recommendation) -> Iterator[str]:
        if record.recipe is None:
            yield "the document does not state the request"
        elif record.profile is not None:
            yield from obstacles_of(record.profile.provenance, record.profile)
            if record.profile.reading != record.recipe.reading:
                yield "its profile was read with different options"
        else:
            yield from obstacles_of(record.provenance)

    def provenances(self, record: Recommendation) -> Mapping[str, Provenance]:
        made = (record.profile and record.profile.provenance) or record.provenance
        return {record.attenuation.signal.name: made} if made else {}

    def texts(self, record: Recommendation, document: Tree) -> dict[str, str]:
        texts = {"power.csv": power_csv(record)}
        asked = record.recipe.acquisition if record.recipe is not None else None
        planned = asked is not None and (can_plan() or asked != AcquisitionOptions())
        if planned and record.unit == MW:
            plan = useq_plan(record, asked)
            from cop_core.power.acquisition_plan import plan_text  # useq-schema is there

            texts["plan.json"] = plan_text(plan)
        return texts

    def figures(self, record: Recommendation) -> dict[str, Callable[[], Figure]]:
        from cop_core.report.power_figure import power_figure

        return {"power": lambda: power_figure(record)}

    def tables(self, record: Recommendation, document: Tree, *, brief: bool) -> list[TextTable]:
        tables = [_layer_table(document), _curve_table(record, document)]
        if record.energy.planes:
            tables.append(_energy_table(record.unit, document))
        return tables


def _attenuation(found: Recommendation) -> AttenuationResults:
    attenuation, fit, offset = found.attenuation, found.attenuation.fit, found.attenuation.offset
    return AttenuationResults(
        excitation_order=attenuation.order,
        layers=tuple(LayerResults(**vars(layer)) for layer in attenuation.layers),
        breaks_um=fit.breaks_um,
        breaks_ci95_um=fit.breaks_ci95_um,
        rho=fit.rho,
        offset_counts=offset.counts,
        offset_error_counts=offset.error_counts,
        offset_estimated=offset.estimated,
        n_planes=int(attenuation.used.sum()),
        n_excluded=int((~attenuation.used).sum()),
    )


def _planes(found: Recommendation) -> Iterator[RecommendedPlane]:
    tissue = found.held.tissue
    columns = {
        "depth_um": found.depth_um,
        "power": found.power,
        "wanted": found.wanted,
        "wanted_low": found.low,
        "wanted_high": found.high,
        "expected": found.expected,
        "tissue": np.exp(tissue.at(found.depth_um) if tissue else 0 * found.depth_um),
        "capped": found.capped,
        "extrapolated": found.extrapolated,
    }
    for row in zip(*(values.tolist() for values in columns.values()), strict=True):
        yield RecommendedPlane(**dict(zip(columns, row, strict=True)))


def _measured(found: Recommendation) -> Iterator[MeasuredPlane]:
    signal, keys = found.attenuation.signal, MeasuredPlane.model_fields
    for row in zip(
        signal.depth_um, signal.power, found.attenuation.counts, found.held.measured,
        found.attenuation.reasons, strict=True,
    ):  # fmt: skip
        yield MeasuredPlane(**dict(zip(keys, row, strict=True)))


def _layer_table(document: Tree) -> TextTable:
    found = document["attenuation"]
    n = found["n_planes"] + found["n_excluded"]
    column = dict(LayerResults.columns())["length_um"]
    return TextTable(
        f"{document['stack']}: attenuation length ({found['n_planes']} of {n} planes)",
        ("depth, µm", column.title),
        tuple(
            (f"{layer['top_um']:.0f} to {layer['bottom_um']:.0f}", column.cell("length_um", layer))
            for layer in found["layers"]
        ),
    )


def _curve_table(found: Recommendation, document: Tree) -> TextTable:
    planes, columns = document["planes"], dict(RecommendedPlane.columns())
    step, last = max(math.ceil((len(planes) - 1) / _MOST_ROWS), 1), len(planes) - 1
    rows = []
    for plane in (planes[i] for i in sorted({*range(0, last + 1, step), last})):
        ends = (min(plane[end], found.limit.max_power) for end in ("wanted_low", "wanted_high"))
        marks = {"limit": plane["capped"], "beyond": plane["extrapolated"]}
        rows.append(
            (
                columns["depth_um"].text(plane["depth_um"]),
                columns["power"].text(plane["power"]),
                " to ".join(map(columns["power"].text, ends)),
                found.held.text(plane["expected"]),
                ", ".join(name for name, holds in marks.items() if holds),
            )
        )
    return TextTable(
        f"power that holds {found.held.subject} at {found.held.text(found.level)}",
        ("depth, µm", f"power, {found.unit}", "95 % interval", "expected", ""),
        tuple(rows),
    )


def _energy_table(unit: str, document: Tree) -> TextTable:
    energy, columns = document["energy"], dict(EnergyResults.columns())
    seconds = energy["frame_time_s"]

    def row(name: str, key: str) -> tuple[str, str, str]:
        saved = energy.get(f"saving_on_{key}")
        return (
            name,
            columns["recommended"].text(energy[key] * (seconds if seconds and unit == MW else 1.0)),
            "" if saved is None else f"{columns['saving_on_fixed'].text(saved)} %",
        )

    length_um = energy["exponential_length_um"]
    length = columns["exponential_length_um"].text(length_um)
    law = [] if length_um is None else [row(f"exponential, {length} µm", "exponential")]
    fixed = columns["fixed_power"].text(energy["fixed_power"])
    return TextTable(
        f"light over the {energy['planes']} planes that reach the level, at equal noise",
        ("protocol", "mJ" if seconds and unit == MW else f"{unit} planes", "recommended saves"),
        (
            row("recommended", "recommended"),
            *law,  # none where the power does not rise, as that law is the fixed power
            row(f"fixed, {fixed} {unit}", "fixed"),
        ),
    )


register(RecommendationKind())
