"""The report of a study: one JSON document and one table."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.report import report_document
from cop_core.report.document import plain_json, slopes_of
from cop_core.report.planes import safe_cell
from cop_core.statistics.arms import ArmsComparison
from cop_core.study.comparison import ChannelComparison, Member, windowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cop_core.statistics.arms import ArmsEffect
    from cop_core.statistics.compare import Comparison
    from cop_core.statistics.depth_window import Window
    from cop_core.study.run import StudyStack

STUDY_SCHEMA_VERSION: Final = "1.1"

_STATISTICS: Final = ("scipy", "statsmodels")
_NUMBERS: Final = (
    *("mean", "sd", "slope_per_um", "se", "slope_ci95", "p_value", "r2", "rho", "n_effective"),
    *("n_planes", "n_excluded"),
)


def study_document(
    stacks: Sequence[StudyStack],
    comparisons: Sequence[ChannelComparison],
    *,
    window_um: Window | None = None,
    others: Mapping[str, Sequence[ChannelComparison]] | None = None,
    command: str | None = None,
) -> dict[str, Any]:
    """Return everything a study found, in JSON types.

    Parameters
    ----------
    stacks : sequence of StudyStack
        From `run_study`.
    comparisons : sequence of ChannelComparison
        From `compare_channels`, with the same window.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in um that enter.
    others : mapping, optional
        The same comparisons of stacks read with other normalisations, by their names.
    command : str, optional
        The command line that repeats it.

    Returns
    -------
    dict
        ``schema_version, kind, stacks`` (one a row of the plan, failed ones with their error),
        ``comparisons`` (one a channel), ``sensitivity, settings, provenance``. Strengths are
        fractions of 1, slopes fractions per um; what is undefined is None. It does not depend
        on how often the study was stopped.
    """
    first = next((s.profile for s in stacks if s.profile is not None), None)
    settings, made = (first.settings, first.provenance) if first else ({}, {})
    document = {
        "schema_version": STUDY_SCHEMA_VERSION,
        "kind": "study",
        "stacks": [_stack(stack, window_um) for stack in stacks],
        "comparisons": [_comparison(each) for each in comparisons],
        "sensitivity": {name: _sensitivity(read) for name, read in (others or {}).items()},
        "settings": {
            **settings,
            "window_um": window_um,
            "comparison": vars(comparisons[0].choices) if comparisons else None,
        },
        "provenance": {
            "command": command,
            **{key: made.get(key) for key in ("weights", "device", "precision")},
            "versions": {**made.get("versions", {}), **{p: version(p) for p in _STATISTICS}},
            "inputs": {s.row.place: s.kept.inputs for s in stacks if s.kept},
            "protocols": {s.row.place: s.profile.provenance for s in stacks if s.profile},
        },
    }
    plain: dict[str, Any] = plain_json(document)
    return plain


def study_csv(document: dict[str, Any]) -> str:
    """Return the stacks of a study as CSV text, one row a stack and component.

    Parameters
    ----------
    document : dict
        From `study_document`.

    Returns
    -------
    str
        Columns ``stack, arm, animal, channel, component``, the numbers of `report_document`
        (intervals as two columns) and ``error``. A stack that failed has one row.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    columns = [n for name in _NUMBERS for n in _columns(name)]
    writer.writerow(["stack", "arm", "animal", "channel", "component", *columns, "error"])
    for stack in document["stacks"]:
        whose = [safe_cell(stack[key] or "") for key in ("place", "arm", "animal", "channel")]
        error = safe_cell(stack["error"] or "")
        for component, values in (stack["components"] or {"": {}}).items():
            numbers = [cell for name in _NUMBERS for cell in _cells(name, values.get(name))]
            writer.writerow([*whose, safe_cell(component), *numbers, error])
    return text.getvalue()


def _stack(stack: StudyStack, window_um: Window | None) -> dict[str, Any]:
    row = stack.row
    known = {
        "place": row.place,
        "name": row.name,
        "arm": row.arm,
        "animal": row.animal or None,
        "channel": row.channel or None,
        "line": row.line,
        "path": str(row.stack),
    }
    try:
        profile = windowed(stack, window_um)
    except InputError as error:
        return {**known, "error": stack.error or error.what, "components": {}, "warnings": []}
    report = report_document(profile)
    return {
        **known,
        "error": None,
        "components": report["protocols"][row.place]["components"],
        "warnings": report["warnings"],
    }


def _comparison(each: ChannelComparison) -> dict[str, Any]:
    return {
        "channel": each.channel or None,
        "fixed": _members(each.fixed),
        "gained": _members(each.gained),
        "left_out": [{"place": place, "reason": reason} for place, reason in each.left_out],
        "note": each.note or None,
        **_effects(each.result),
    }


def _sensitivity(comparisons: Sequence[ChannelComparison]) -> dict[str, Any]:
    """Return the slopes alone, of all stacks that entered and of what differs between arms."""
    members = [member for each in comparisons for member in (*each.fixed, *each.gained)]
    return {
        "stacks": {member.row.place: slopes_of(member.profile) for member in members},
        "comparisons": [
            {
                "channel": each.channel or None,
                "note": each.note or None,
                "components": {
                    effect.component: {
                        "slope_difference_per_um": effect.slope_difference_per_um,
                        "ci95": effect.ci95,
                        "p_holm": effect.p_holm,
                    }
                    for effect in (each.result.effects if each.result else ())
                },
            }
            for each in comparisons
        ],
    }


def _members(arm: Sequence[Member]) -> list[str]:
    return [member.row.place for member in arm]


def _effects(result: Comparison | ArmsComparison | None) -> dict[str, Any]:
    if result is None:
        return {"kind": None, "components": {}, "warnings": []}
    if isinstance(result, ArmsComparison):
        return {
            "kind": "arms",
            "components": {effect.component: _arms_effect(effect) for effect in result.effects},
            "warnings": result.warnings,
        }
    report = report_document(result)
    return {
        "kind": "pair",
        "components": report["comparison"]["components"],
        "warnings": report["warnings"],
    }


def _arms_effect(effect: ArmsEffect) -> dict[str, Any]:
    values = asdict(effect)
    model = values.pop("model")
    del values["component"]
    return {**model, **values}


def _columns(name: str) -> Iterator[str]:
    yield from (f"{name}_low", f"{name}_high") if name.endswith("ci95") else (name,)


def _cells(name: str, value: Any) -> Iterator[Any]:
    if name.endswith("ci95"):
        yield from value or (None, None)
    else:
        yield value
