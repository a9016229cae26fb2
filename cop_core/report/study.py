"""Reports of studies: every stack, and the arms of every channel compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from cop_core.recipes import StudyRecipe
from cop_core.recipes.values import folder_name
from cop_core.records import (
    ArmPair,
    ArmsComparison,
    ChannelComparison,
    Comparison,
    StudyRecord,
    StudyStackRecord,
)
from cop_core.report.columns import (
    Interval,
    Number,
    Results,
    TextTable,
    Truth,
    Whole,
    label,
    table_by_component,
)
from cop_core.report.csv_tables import csv_text, dictionary_csv
from cop_core.report.kinds import Kind, register
from cop_core.report.protocols import (
    arms_results,
    effect_results,
    how_compared,
    obstacles_of,
    protocol_results,
    slopes_of,
)
from cop_core.report.results import (
    ARMS_EFFECT,
    EFFECT,
    EFFECT_BRIEFLY,
    EQUIVALENCE,
    EQUIVALENCE_BRIEFLY,
    ArmsEffectResults,
    EffectResults,
    LineResults,
    SlopeDifferenceResults,
    SlopeResults,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cop_core.records import FileIdentity, Provenance, Role
    from cop_core.report.columns import Tree

SLOPE: Final = SlopeResults.chosen("slope_per_um")["slope_per_um"]
_STACK_COLUMNS: Final = (
    ("stack", "", "folder of the stack's report, arm and name"),
    ("arm", "", "name of its protocol"),
    ("animal", "", "animal from which the stack comes, if stated"),
    ("channel", "", "channel, if the plan names one"),
    ("component", "", "noise component; empty for a stack that failed"),
)
_IN_CSV: Final = {
    "mean": "fraction of 1",
    "sd": "fraction of 1",
    "slope_per_um": "fraction of 1 per µm",
    "se": "fraction of 1 per µm",
    "slope_ci95": "fraction of 1 per µm",
    "p_value": "",
    "r2": "",
    "n_planes": "",
    "n_excluded": "",
}
"""Numbers of study.csv, by key of a line's results, with their units as written there."""


class StackResults(Results):
    """One stack; `error` says why it failed, or why none of its planes is used."""

    place: str
    name: str
    arm: str
    animal: str | None
    channel: str | None
    line: Whole
    path: str | None
    error: str | None
    components: dict[str, LineResults]
    caveats: tuple[str, ...]


class LeftOut(Results):
    """A stack that was left out of all comparisons."""

    place: str
    reason: str


class ArmsDepthResults(Results):
    """Usable depth of the arms, mean over animals; the difference is first minus second.

    Greater depths count as `counted_to_um`.
    """

    first_um: Number
    second_um: Number
    difference_um: Number
    ci95_um: Interval
    p_value: Number
    p_holm: Number
    counted_to_um: Number
    n_deeper: Whole
    n_untold: Whole


class PairResults(Results):
    """Two arms of one channel, first minus second; `note` says why they are not compared."""

    first: str
    second: str
    note: str | None
    kind: Literal["pair", "arms"] | None
    verdict: str | None
    window_um: Interval | None
    paired: Truth | None
    n_units: tuple[Whole, Whole] | None
    level_depth_um: ArmsDepthResults | None
    signal_depth_um: ArmsDepthResults | None
    components: dict[str, EffectResults | ArmsEffectResults]
    caveats: tuple[str, ...]


class ChannelResults(Results):
    """All arms of one channel, compared pair by pair; p values are corrected over all pairs."""

    channel: str | None
    arms: dict[str, tuple[str, ...]]
    left_out: tuple[LeftOut, ...]
    note: str | None
    verdict: str | None
    pairs: tuple[PairResults, ...]


class OtherPairResults(Results):
    """Difference between two arms with another normalisation."""

    first: str
    second: str
    note: str | None
    components: dict[str, SlopeDifferenceResults]


class OtherChannelResults(Results):
    """The same for all arms of one channel."""

    channel: str | None
    pairs: tuple[OtherPairResults, ...]


class OtherResults(Results):
    """Slopes with another normalisation, of the stacks and of the difference between arms."""

    stacks: dict[str, dict[str, SlopeResults]]
    comparisons: tuple[OtherChannelResults, ...]


class StudyDocument(Results):
    """Result of a study; it does not depend on how often the study was stopped."""

    verdict: str
    stacks: tuple[StackResults, ...]
    comparisons: tuple[ChannelResults, ...]
    sensitivity: dict[str, OtherResults]


class StudyKind(Kind[StudyRecord]):
    """Reports of studies."""

    name = "study"
    schema_version = "4.0"
    record = StudyRecord
    results = StudyDocument
    file_name = "study.json"
    template = "study.html"
    owned = ("figures/curves*", "figures/slopes*")

    def state(self, record: StudyRecord) -> StudyDocument:
        return StudyDocument(
            verdict=record.verdict,
            stacks=tuple(map(_stack, record.stacks)),
            comparisons=tuple(map(_channel, record.comparisons)),
            sensitivity={
                name: OtherResults(
                    stacks={
                        stack.row.place: slopes_of(stack.analysed.sensitivity[name])
                        for stack in record.stacks
                        if stack.analysed and name in stack.analysed.sensitivity
                    },
                    comparisons=tuple(map(_other_channel, compared)),
                )
                for name, compared in record.sensitivity.items()
            },
        )

    def caveats(self, record: StudyRecord) -> tuple[str, ...]:
        return tuple(dict.fromkeys(said for each in record.comparisons for said in _said(each)))

    def recipe(self, record: StudyRecord) -> StudyRecipe:
        return record.recipe

    def obstacles(self, record: StudyRecord) -> Iterator[str]:
        for stack in record.stacks:
            if stack.profile is not None:
                found = obstacles_of(stack.profile.provenance, stack.profile)
                yield from (f"{stack.row.place}: {what}" for what in found)

    def provenances(self, record: StudyRecord) -> dict[str, Provenance]:
        made = {s.row.place: s.profile.provenance for s in record.stacks if s.profile is not None}
        return {place: one for place, one in made.items() if one is not None}

    def inputs(self, record: StudyRecord) -> dict[str, dict[Role, FileIdentity]]:
        return {stack.row.place: stack.inputs for stack in record.stacks if stack.inputs}

    def tables(self, record: StudyRecord, document: Tree, *, brief: bool) -> list[TextTable]:
        compared = [
            _compared(each, pair, document, brief=brief)
            for each in document["comparisons"]
            for pair in each["pairs"]
        ]
        found = [table for table in compared if table.rows]
        return found if brief else [*found, _slopes(document["stacks"])]

    def texts(self, record: StudyRecord, document: Tree) -> dict[str, str]:
        return {
            "study.csv": csv_text(_csv_rows(document["stacks"])),
            "study-columns.csv": dictionary_csv(study_columns()),
        }

    def figures(self, record: StudyRecord) -> dict[str, Callable[[], Figure]]:
        from cop_core.report.study_figures import curves_figure, slopes_figure

        found: dict[str, Callable[[], Figure]] = {}
        for i, each in enumerate(record.comparisons, start=1):
            if any(arm.stacks for arm in each.arms):
                end = f"-{i}-{folder_name(each.channel)}" if len(record.comparisons) > 1 else ""
                found[f"curves{end}"] = partial(curves_figure, each)
                found[f"slopes{end}"] = partial(slopes_figure, each)
        return found


def _stack(stack: StudyStackRecord) -> StackResults:
    row, found = stack.row, stack.analysed
    return StackResults(
        place=row.place,
        name=row.name,
        arm=row.arm,
        animal=row.animal or None,
        channel=row.channel or None,
        line=row.line,
        path=row.stack.source,
        error=(stack.error or stack.left_out) if found is None else None,
        components={} if found is None else protocol_results(found).components,
        caveats=() if found is None else found.caveats,
    )


def _channel(each: ChannelComparison) -> ChannelResults:
    return ChannelResults(
        channel=each.channel or None,
        arms={arm.name: tuple(stack.row.place for stack in arm.stacks) for arm in each.arms},
        left_out=tuple(LeftOut(place=s.row.place, reason=s.left_out) for s in each.left_out),
        note=each.note or None,
        verdict=each.verdict or None,
        pairs=tuple(map(_pair, each.pairs)),
    )


def _pair(pair: ArmPair) -> PairResults:
    result = pair.result
    arms = result if isinstance(result, ArmsComparison) else None
    return PairResults(
        first=pair.first.name,
        second=pair.second.name,
        note=pair.note or None,
        kind=None if result is None else "arms" if arms else "pair",
        verdict=result.verdict if result else None,
        window_um=result.window_um if result else None,
        paired=arms.paired if arms else None,
        n_units=arms.n_units if arms else None,
        level_depth_um=ArmsDepthResults(**vars(arms.level)) if arms else None,
        signal_depth_um=ArmsDepthResults(**vars(arms.signal)) if arms else None,
        components=_effects(result),
        caveats=result.caveats if result else (),
    )


def _other_channel(each: ChannelComparison) -> OtherChannelResults:
    return OtherChannelResults(
        channel=each.channel or None, pairs=tuple(map(_other_pair, each.pairs))
    )


def _other_pair(pair: ArmPair) -> OtherPairResults:
    keys = SlopeDifferenceResults.model_fields
    effects = pair.result.effects if pair.result else ()
    return OtherPairResults(
        first=pair.first.name,
        second=pair.second.name,
        note=pair.note or None,
        components={
            e.component: SlopeDifferenceResults(**{key: getattr(e.difference, key) for key in keys})
            for e in effects
        },
    )


def _effects(
    result: Comparison | ArmsComparison | None,
) -> dict[str, EffectResults | ArmsEffectResults]:
    if isinstance(result, ArmsComparison):
        return {effect.component: arms_results(effect) for effect in result.effects}
    return {} if result is None else {e.component: effect_results(e) for e in result.effects}


def _said(each: ChannelComparison) -> Iterator[str]:
    """Yield the caveats of a channel's comparisons."""
    channel = f"channel {each.channel}: " if each.channel else ""
    for said in (each.note, *(text for pair in each.pairs for text in _said_of_pair(pair))):
        if said:
            yield channel + said
    for stack in each.left_out:
        yield f"left out: {stack.row.place}, {stack.left_out}"


def _said_of_pair(pair: ArmPair) -> tuple[str, ...]:
    return pair.result.caveats if pair.result else (pair.note,)


# --- tables --------------------------------------------------------------------------------------


def _compared(each: Tree, pair: Tree, document: Tree, *, brief: bool) -> TextTable:
    options, arms = document["recipe"]["comparison"], pair["kind"] == "arms"
    columns = EFFECT_BRIEFLY if brief else ARMS_EFFECT if arms else EFFECT
    if options["margin_per_100_um"] is not None:
        columns = columns | (EQUIVALENCE_BRIEFLY if brief else EQUIVALENCE)
    channel = f", channel {each['channel']}" if each["channel"] else ""
    first, second = (f"{pair[key]} ({len(each['arms'][pair[key]])})" for key in ("first", "second"))
    title = f"{first} minus {second}{channel}"
    return table_by_component(title, columns, pair["components"], "; ".join(how_compared(options)))


def _slopes(stacks: Sequence[Tree]) -> TextTable:
    """Return the slopes of all stacks, or why there are none."""
    components = next((tuple(s["components"]) for s in stacks if s["components"]), ())
    rows = (
        (
            *(stack["place"], stack["animal"] or ""),
            *(SLOPE.cell("slope_per_um", stack["components"][c]) for c in stack["components"]),
            *("" for _ in components if not stack["components"]),
            stack["error"] or "",
        )
        for stack in stacks
    )
    head = ("stack", "animal", *map(label, components), "error")
    return TextTable("Slope of every stack", head, tuple(rows), SLOPE.title)


def study_columns() -> Iterator[tuple[str, str, str]]:
    """Yield name, unit and meaning of the columns of study.csv."""
    yield from _STACK_COLUMNS
    known = dict(LineResults.columns())
    for key, unit in _IN_CSV.items():
        for name in _parts(key, (f"{key}_low", f"{key}_high"), key):
            yield name, unit, known[key].meaning
    yield "error", "", "why the stack failed"


def _csv_rows(stacks: Sequence[Tree]) -> Iterator[list[Any]]:
    """Yield a header, then a row for each stack and component; one for a stack that failed."""
    yield [name for name, _, _ in study_columns()]
    for stack in stacks:
        whose = [stack[key] for key in ("place", "arm", "animal", "channel")]
        for component, values in (stack["components"] or {"": {}}).items():
            numbers = [n for key in _IN_CSV for n in _parts(key, values.get(key), values.get(key))]
            yield [*whose, component, *numbers, stack["error"]]


def _parts(key: str, both: Any, one: Any) -> Iterator[Any]:
    """Yield the two ends of an interval, or one value."""
    yield from (both or (None, None)) if key.endswith("ci95") else (one,)


register(StudyKind())
