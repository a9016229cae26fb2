"""Reports of one stack and of two compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cop_core.recipes import CompareRecipe, ProfileRecipe, StackOptions
from cop_core.records import (
    NOT_READ,
    OUTSIDE,
    AnalysedProfile,
    Comparison,
    left_out_text,
    plane_columns,
    power_text,
)
from cop_core.report.columns import TextTable, at, label, table_by_component
from cop_core.report.csv_tables import dictionary_csv, planes_csv
from cop_core.report.facts import (
    excitation_facts,
    excluded_planes,
    image_facts,
    photon_facts,
    validity_facts,
)
from cop_core.report.kinds import Kind, register
from cop_core.report.results import (
    BEND,
    EFFECT,
    EFFECT_BRIEFLY,
    EQUIVALENCE,
    EQUIVALENCE_BRIEFLY,
    LINE,
    LINE_BRIEFLY,
    ArmsEffectResults,
    BandResults,
    BendResults,
    ComparisonDocument,
    ComparisonResults,
    EffectResults,
    LineResults,
    ProfileDocument,
    ProtocolResults,
    SlopeResults,
    UsableDepthResults,
    UsableDifferenceResults,
)
from cop_core.statistics.calls import LEVEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cop_core.records import (
        ArmsEffect,
        ComponentEffect,
        DepthProfile,
        Provenance,
        SlopeFit,
        UsableDepth,
        UsableDifference,
    )
    from cop_core.report.columns import Column, Tree

ResultT = TypeVar("ResultT", AnalysedProfile, Comparison)


# --- what is stated ------------------------------------------------------------------------------


def protocol_results(analysed: AnalysedProfile) -> ProtocolResults:
    """Return the results of one stack for a document."""
    profile = analysed.profile
    depth = profile.depth_um[np.isfinite(profile.depth_um)]
    return ProtocolResults(
        n_planes_total=len(profile),
        depth_range_um=(depth.min(), depth.max()) if len(depth) else None,
        cap_depth_um=analysed.cap_depth_um,
        excluded=excluded_planes(profile),
        image=image_facts(profile),
        excitation=excitation_facts(profile),
        validity=validity_facts(profile),
        photons=photon_facts(analysed.photons),
        reading=profile.reading,
        window_um=profile.window_um,
        usable_depth_um=usable_results(analysed.usable),
        components={component: _line(analysed, component) for component in analysed.lines},
    )


def _line(analysed: AnalysedProfile, component: str) -> LineResults:
    profile, fit = analysed.profile, vars(analysed.lines[component]).copy()
    n = fit.pop("n")
    values = profile.of(component)[profile.kept]
    doubt = profile.uncertainty[profile.kept, profile.components.index(component)]
    return LineResults(
        **fit,
        mean=values.mean() if len(values) else None,
        sd=values.std(ddof=1) if len(values) > 1 else None,
        uncertainty=doubt.mean() if len(doubt) else None,
        log_ratio_slope_per_um=analysed.log_ratios[component].slope_per_um,
        bend=BendResults(**vars(analysed.bends[component])),
        n_planes=n,
        n_excluded=len(profile) - n,
    )


def effect_results(effect: ComponentEffect) -> EffectResults:
    """Return the effect on one component for a document."""
    band = {key: tuple(values) for key, values in vars(effect.band).items()}
    own = {key: getattr(effect, key) for key in EffectResults.model_fields if hasattr(effect, key)}
    return EffectResults(**{**vars(effect.difference), **own, "band": BandResults(**band)})


def arms_results(effect: ArmsEffect) -> ArmsEffectResults:
    """Return the effect on one component, over stacks, for a document."""
    own = {k: v for k, v in vars(effect).items() if k not in ("component", "difference")}
    return ArmsEffectResults(**vars(effect.difference), **own)


def usable_results(found: UsableDepth) -> UsableDepthResults:
    """Return the usable depth of a stack for a document."""
    level, signal = found.level, found.signal
    return UsableDepthResults(
        level=level.depth_um,
        level_ci95=level.ci95_um,
        level_deeper_than=level.deeper_than_um,
        level_shallower_than=level.shallower_than_um,
        level_reading_shift=level.reading_shift_um,
        level_from=level.from_um,
        level_power_mw=found.level_power_mw,
        level_strength=found.at_strength,
        level_photons=found.photons,
        signal=signal.depth_um,
        signal_ci95=signal.ci95_um,
        signal_deeper_than=signal.deeper_than_um,
        level_energy_mj_s=found.level_energy_mj_s,
        signal_energy_mj_s=found.signal_energy_mj_s,
    )


def _apart(found: UsableDifference) -> UsableDifferenceResults:
    return UsableDifferenceResults(
        level=found.level_um,
        level_ci95=found.level_ci95_um,
        signal=found.signal_um,
        signal_ci95=found.signal_ci95_um,
    )


def slopes_of(lines: Mapping[str, SlopeFit]) -> dict[str, SlopeResults]:
    """Return the slopes alone, with their intervals."""
    return {
        component: SlopeResults(slope_per_um=fit.slope_per_um, slope_ci95=fit.slope_ci95)
        for component, fit in lines.items()
    }


def _sensitivity(record: AnalysedProfile | Comparison) -> dict[str, dict[str, Any]]:
    others = dict.fromkeys(name for each in record.analysed for name in each.sensitivity)
    return {
        name: {each.name: slopes_of(each.sensitivity[name]) for each in record.analysed}
        for name in others
    }


# --- what was asked for --------------------------------------------------------------------------


def obstacles_of(made: Provenance | None, profile: DepthProfile | None = None) -> Iterator[str]:
    """Yield the reasons why a stack cannot be opened and read again."""
    if made is None:
        yield "the document does not state how the stack was opened"
        return
    if made.opened.source is None:
        array = made.source == "array"
        yield "the stack was an array" if array else f"its planes came from {made.source}"
    if profile is None:
        return
    if not profile.reading.weights:
        yield "the weights were not loaded from a file"
    if not made.whole or any(p.reason == NOT_READ for p in profile.planes):
        yield "its reading was stopped before the end"


def opened_as(opened: StackOptions, name: str) -> StackOptions:
    """Return how a stack was opened, with its name if that differs from the file's."""
    file = Path(opened.source or "")
    own = opened.name is None and name in (file.name, file.stem.removesuffix(".ome"))
    return opened if own else opened.but(name=name)


def _opened(profile: DepthProfile) -> StackOptions:
    opened = profile.provenance.opened if profile.provenance else StackOptions()
    by_hand = {i: why for i, why in profile.left_out.items() if not why.startswith(OUTSIDE)}
    return opened.but(left_out=by_hand)


# --- kinds ---------------------------------------------------------------------------------------


class _Protocols(Kind[ResultT]):
    """Common parts of reports of one and of two stacks."""

    schema_version = "4.0"
    template = "report.html"
    owned = tuple(
        f"figures/{name}.*" for name in ("answer", "planes", "side", "profile", "effects")
    )

    def caveats(self, record: ResultT) -> tuple[str, ...]:
        return record.caveats

    def provenances(self, record: ResultT) -> dict[str, Provenance]:
        made = {each.name: each.profile.provenance for each in record.analysed}
        return {name: one for name, one in made.items() if one is not None}

    def texts(self, record: ResultT, document: Tree) -> dict[str, str]:
        columns = plane_columns(record.analysed[0].profile.components)
        return {
            "planes.csv": planes_csv(record.analysed),
            "planes-columns.csv": dictionary_csv((c.name, c.unit, c.meaning) for c in columns),
        }

    def figures(self, record: ResultT) -> dict[str, Callable[[], Figure]]:
        from cop_core.report.figures import profile_figure

        return {"profile": lambda: profile_figure(record.analysed)}

    def tables(self, record: ResultT, document: Tree, *, brief: bool) -> list[TextTable]:
        columns = LINE_BRIEFLY if brief else LINE
        return [_protocol_table(n, p, columns) for n, p in document["protocols"].items()]


class ProfileKind(_Protocols[AnalysedProfile]):
    """Reports of one stack."""

    name = "profile"
    record = AnalysedProfile
    results = ProfileDocument

    def state(self, record: AnalysedProfile) -> ProfileDocument:
        return ProfileDocument(
            verdict=record.verdict,
            protocols={record.name: protocol_results(record)},
            sensitivity=_sensitivity(record),
        )

    def recipe(self, record: AnalysedProfile) -> ProfileRecipe:
        profile = record.profile
        return ProfileRecipe(
            stack=opened_as(_opened(profile), record.name),
            reading=profile.reading,
            window_um=profile.window_um,
            level=record.usable.at_strength,
            sensitivity=bool(record.sensitivity),
        )

    def obstacles(self, record: AnalysedProfile) -> Iterator[str]:
        yield from obstacles_of(record.profile.provenance, record.profile)


class ComparisonKind(_Protocols[Comparison]):
    """Reports of two stacks."""

    name = "comparison"
    record = Comparison
    results = ComparisonDocument

    def state(self, record: Comparison) -> ComparisonDocument:
        return ComparisonDocument(
            verdict=record.verdict,
            protocols={each.name: protocol_results(each) for each in record.analysed},
            comparison=ComparisonResults(
                difference=f"{record.first.name} minus {record.second.name}",
                rule=record.options.rule,
                window_um=record.window_um,
                n_pairs=record.n_pairs,
                n_dropped=record.n_dropped,
                same_tissue=record.same_tissue,
                tissue_correlation=record.match.correlation,
                shift_um=record.match.shift_um,
                usable_depth_um={
                    each.name: usable_results(usable)
                    for each, usable in zip(record.analysed, record.usable, strict=True)
                },
                usable_difference_um=_apart(record.usable_difference),
                components={e.component: effect_results(e) for e in record.effects},
            ),
            sensitivity=_sensitivity(record),
        )

    def recipe(self, record: Comparison) -> CompareRecipe:
        profile = record.first.profile
        first, second = (_opened(each.profile).but(name=each.name) for each in record.analysed)
        return CompareRecipe(
            stacks=(first, second),
            reading=profile.reading,
            comparison=record.options,
            window_um=profile.window_um,
            sensitivity=bool(record.first.sensitivity),
        )

    def obstacles(self, record: Comparison) -> Iterator[str]:
        first, second = (each.profile for each in record.analysed)
        for each in record.analysed:
            found = obstacles_of(each.profile.provenance, each.profile)
            yield from (f"{each.name}: {what}" for what in found)
        if (first.reading, first.window_um) != (second.reading, second.window_um):
            yield "the two stacks were read with different options"

    def figures(self, record: Comparison) -> dict[str, Callable[[], Figure]]:
        from cop_core.report.answer_figure import answer_figure
        from cop_core.report.figures import effects_figure
        from cop_core.report.panels import has_depth
        from cop_core.report.view_figures import planes_figure, side_figure

        drawn: dict[str, Callable[[], Figure]] = {}
        if has_depth(record.analysed):
            drawn["answer"] = lambda: answer_figure(record)
        if record.views:
            drawn |= {"planes": lambda: planes_figure(record), "side": lambda: side_figure(record)}
        return {**drawn, **super().figures(record), "effects": lambda: effects_figure(record)}

    def tables(self, record: Comparison, document: Tree, *, brief: bool) -> list[TextTable]:
        found, options = document["comparison"], document["recipe"]["comparison"]
        columns = EFFECT_BRIEFLY if brief else EFFECT
        if options["margin_per_100_um"] is not None:
            columns = columns | (EQUIVALENCE_BRIEFLY if brief else EQUIVALENCE)
        low, high = found["window_um"]
        over = (
            []
            if low is None
            else [f"over the depths with usable planes in both, {low:.0f} to {high:.0f} µm"]
        )
        said = "; ".join([*over, *how_compared(options)])
        compared = table_by_component(found["difference"], columns, found["components"], said)
        return [*super().tables(record, document, brief=brief), compared]


def _protocol_table(name: str, stated: Tree, columns: Mapping[str, Column]) -> TextTable:
    kept, n = stated["validity"]["n_planes_kept"], stated["n_planes_total"]
    left_out = left_out_text(plane["reason"] for plane in stated["excluded"])
    bends = (
        f"{label(component)} at {BEND['bend.depth_um'].cell('bend.depth_um', values)}"
        for component, values in stated["components"].items()
        if not at(values, "bend.note") and (at(values, "bend.p_value") or 1.0) < LEVEL
    )
    found = ", ".join(bends)
    said = [f"bends, depth in µm: {found}"] if found else []
    return table_by_component(
        f"{name} ({', '.join(filter(None, (f'{kept} of {n} planes', left_out)))})",
        columns,
        stated["components"],
        "; ".join([*said, *_as_taken(stated)]),
    )


def _as_taken(stated: Tree) -> Iterator[str]:
    """Yield in words how a file was interpreted: surface, power, zero level."""
    image, power = stated["image"], stated["excitation"]
    if image["surface"]:
        yield f"depth 0 at the {image['surface']} plane ({image['surface_from']})"
    if power["power_from"] and power["power_from"] != "given":
        ends = power_text(power["power_min"], power["unit"], to=power["power_max"])
        yield f"power {ends} ({power['power_from']})"
    if image["zero_counts"] is not None and stated["reading"]["offset_counts"] is None:
        yield f"zero level {image['zero_counts']:g} counts ({image['zero_from']})"


def how_compared(options: Tree) -> Iterator[str]:
    """Yield in words the options that differ from the defaults."""
    if options["rule"] == "paper":
        yield "sizes of d by the f² convention, p with straight lines"
    if options["margin_per_100_um"] is not None:
        margin = f"{100 * options['margin_per_100_um']:g} % per 100 µm"
        yield f"p (margin): slope no smaller than {margin}, of each protocol"


register(ProfileKind())
register(ComparisonKind())
