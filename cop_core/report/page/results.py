"""Results on the page of a report: figures, tables of slopes and effects, definitions."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from cop_core.report.page.cells import Cells, plain_text, table
from cop_core.report.page.columns import BREAK, EFFECT, EQUIVALENCE, LINE
from cop_core.report.protocols import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cop_core.report.page.columns import Column

DEFINITIONS: Final = {
    "mean": "mean strength over the planes in the fit; the strengths of a crop sum to 1",
    "sd": "standard deviation of plane means over the planes in the fit",
    "uncertainty": "mean over planes of the network's own predictive standard deviation: 90 % of "
    "true strengths are expected within 1.645 of it",
    "slope_per_um": "ordinary least squares of plane means on depth",
    "slope_ci95": "95 % interval of the slope, allowing for neighbouring planes resembling each "
    "other (first-order autocorrelation, AR(1), around a smooth curve)",
    "p_value": "two-sided p of the slope, or of the slope difference, being zero",
    "r2": "share of the variance over depth that the straight line explains",
    "r2_curve": "the same for a smooth curve",
    "rho": "correlation of neighbouring planes around the curve",
    "n_effective": "independent planes that the correlated ones are worth, n (1 − ρ) / (1 + ρ)",
    "ci95_ols": "interval with planes taken as independent",
    "p_value_ols": "p with planes taken as independent",
    "log_ratio_slope_per_um": "slope of the centred log-ratio, log(strength / geometric mean of "
    "all), which does not follow from the others' change",
    "slope_difference_per_um": "slope of the first protocol minus slope of the second: the "
    "interaction of depth and protocol",
    "p_holm": "p of the slope difference after Holm's correction over the noise components",
    "p_value_naive": "p with planes taken as independent",
    "cohen_d": "difference of the means over all kept planes in pooled standard deviations of "
    "plane means (0.2 small, 0.5 medium, 0.8 large)",
    "hedges_g": "Cohen's d without its small-sample bias",
    "f2": "Cohen's f² of the interaction (0.02 small, 0.15 medium, 0.35 large)",
    "f2_ci95": "95 % interval of f²",
    "break": "two lines that meet: depth of the break with its interval, p of there being none, "
    "and the slopes above and below it",
    "equivalence_p_fixed": "p of the slope of the first protocol lying outside the margin that "
    "counts as none (two one-sided tests)",
    "equivalence_p_gained": "the same for the second protocol",
    "equivalence_p_difference": "the same for the slope difference",
    "log_ratio_slope_difference_per_um": "difference of the slopes of the centred log-ratios",
}
"""What a statistic is, by its key in report.json."""

_CAPTIONS: Final = {
    "profile": (
        "Strength of every noise and of the clean part against depth, with the power where it is "
        "stated. Line and band: mean and standard deviation over the crops of a plane; straight "
        "line: the fit; bar at the right: 90 % uncertainty of the network; hollow marks: planes "
        "left out.",
        "One panel for each noise component, strength in per cent against depth in micrometres; "
        "the last panel has the clean part and the excitation power.",
    ),
    "effects": (
        "Slopes with 95 % intervals, R² and Cohen's d of every noise component.",
        "Three panels side by side: slopes of both protocols, R², and Cohen's d with intervals.",
    ),
}
_MARKS: Final = "*†‡§¶"
_ELSEWHERE: Final = {"components", "excluded", "excitation", "image", "validity"}
_FONT = "font-family: 'DejaVu Sans'"


def figures(cells: Cells, drawings: Mapping[str, str]) -> str:
    """Return every drawing, embedded, with a caption and a text for those who cannot see it.

    Parameters
    ----------
    cells : Cells
        The document.
    drawings : mapping of str to str
        Name to SVG.
    """
    names = ", ".join(map(plain_text, cells.names()))
    ordered = sorted(drawings, key=lambda name: (*_CAPTIONS, name).index(name))
    return "".join(_figure(i, n, names, drawings[n]) for i, n in enumerate(ordered, start=1))


def _figure(number: int, name: str, protocols: str, svg: str) -> str:
    caption, alternative = _CAPTIONS.get(name, (plain_text(name), "Described in the caption."))
    # text stays text in the file; a reader without the font gets one of the same widths
    drawn = svg.replace(_FONT, f"{_FONT}, Verdana, sans-serif")
    data = base64.b64encode(drawn.encode("utf-8")).decode("ascii")
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" '
        f'alt="{alternative} Protocols: {protocols}. The numbers are in the tables below.">\n'
        f"<figcaption><b>Figure {number}.</b> {caption}</figcaption></figure>\n"
    )


def protocol_table(cells: Cells, name: str) -> str:
    """Return the lines of one protocol, component by component."""
    total = cells.number("protocols", name, "n_planes_total")
    kept = cells.number("protocols", name, "validity", "n_planes_kept")
    caption = f"<b>{plain_text(name)}</b>: {kept} of {total} planes"
    return _by_component(cells, caption, ("protocols", name, "components"), LINE, "note")


def breaks_table(cells: Cells, name: str) -> str:
    """Return where the lines of one protocol break, component by component."""
    at = ("protocols", name, "components")
    if not any(cells.at(*at, component, "break") for component in cells.at(*at) or ()):
        return ""
    caption = f"<b>{plain_text(name)}</b>: two lines that meet at a break"
    return _by_component(cells, caption, at, BREAK, "break.note")


def effects_table(cells: Cells) -> str:
    """Return the comparison of two protocols, component by component."""
    columns = EFFECT
    if cells.at("settings", "comparison", "margin_per_100_um") is not None:
        columns += EQUIVALENCE
    caption = f"<b>{cells.text('comparison', 'difference')}</b>"
    return _by_component(cells, caption, ("comparison", "components"), columns)


def every_statistic(cells: Cells) -> str:
    """Return tables of all statistics in the units of report.json: fractions of 1, per um."""
    tables = "".join(_statistics(cells, at) for at in _component_places(cells))
    return f"{tables}{_of_stacks(cells)}"


def definitions(cells: Cells) -> str:
    """Return what the statistics that occur are."""
    used = {leaf[len(at) + 1] for at in _component_places(cells) for leaf in cells.leaves(*at)}
    items = "".join(
        f"<dt><code>{key}</code></dt><dd>{meaning}</dd>\n"
        for key, meaning in DEFINITIONS.items()
        if key in used
    )
    return f"<dl>\n{items}</dl>\n"


def _of_stacks(cells: Cells) -> str:
    """Return what is said of a whole stack and has no place elsewhere."""
    keys = dict.fromkeys(
        leaf[2:]
        for name in cells.names()
        for leaf in cells.leaves("protocols", name)
        if leaf[2] not in _ELSEWHERE
    )
    rows = [
        [f"<code>{plain_text('.'.join(map(str, key)))}</code>"]
        + [cells.value("protocols", name, *key) for name in cells.names()]
        for key in keys
    ]
    return table("Of the stacks", ["", *map(plain_text, cells.names())], rows, kind="words")


def _component_places(cells: Cells) -> Iterable[tuple[str, ...]]:
    yield from (("protocols", name, "components") for name in cells.names())
    if cells.at("comparison"):
        yield ("comparison", "components")


def _statistics(cells: Cells, at: tuple[str, ...]) -> str:
    components = list(cells.at(*at) or {})
    below = [leaf[len(at) + 1 :] for c in components[:1] for leaf in cells.leaves(*at, c)]
    rows = [
        [f"<code>{plain_text('.'.join(key))}</code>"]
        + [cells.value(*at, component, *key) for component in components]
        for key in (tuple(map(str, path)) for path in below)
    ]
    head = ["", *(plain_text(label(c)) for c in components)]
    return table(f"<code>{plain_text('.'.join(at))}</code>", head, rows, kind="all")


def _by_component(
    cells: Cells, caption: str, at: tuple[str, ...], columns: tuple[Column, ...], note: str = ""
) -> str:
    """Return a table with a row for each component, and below it the notes on them."""
    rows, marks = [], dict[str, str]()
    for component in cells.at(*at) or ():
        own = (*at, component)
        text = cells.at(*own, *note.split(".")) if note else ""
        head = plain_text(label(component))
        if text:
            mark = marks.setdefault(text, _MARKS[len(marks) % len(_MARKS)])
            head += f" <sup>{mark}</sup>"
        rows.append([head, *(give(cells, own) for _, give in columns)])
    notes = "".join(f"<p><small>{mark} {plain_text(t)}</small></p>\n" for t, mark in marks.items())
    return table(caption, ["Component", *(head for head, _ in columns)], rows) + notes
