"""The report of a study as one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from cop_core.report.page.cells import Cells, plain_text, table
from cop_core.report.page.columns import EQUIVALENCE
from cop_core.report.page.frame import whole_page
from cop_core.report.protocols import label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CAPTIONS: Final = {
    "curves": "Strength of every component against depth, one curve a stack.",
    "slopes": "Slopes of every stack, and of both arms with 95 % intervals where several stacks "
    "an arm are compared.",
}
_SLOPE: Final = 1e4
_FORM: Final = "+z.2f"


def study_html(document: dict[str, Any], drawings: Mapping[str, str]) -> str:
    """Return a study as one page: no script, no network.

    Parameters
    ----------
    document : dict
        From `study_document`; every number on the page is one of its own.
    drawings : mapping of str to str
        Figures as SVG, by name.

    Returns
    -------
    str
        HTML. Whatever the document holds is escaped.
    """
    cells, channels = Cells(document), range(len(document["comparisons"]))
    return whole_page(
        f"Study of {len(document['stacks'])} stacks",
        [
            "Every number on this page is from <code>study.json</code>, schema "
            f"{cells.text('schema_version')}.\nSlopes in % per 100 µm, intervals of 95 %.",
        ],
        [
            *((_title(cells, i), _comparison(cells, i)) for i in channels),
            ("Figures", "".join(_figure(name, svg) for name, svg in drawings.items())),
            ("Stacks", _stacks(cells)),
            ("Sensitivity to the normalisation", "".join(_sensitivity(cells, i) for i in channels)),
            ("Data", _data(cells)),
            ("How it was made", _repeat(cells)),
        ],
    )


def _title(cells: Cells, i: int) -> str:
    n_fixed, n_gained = (len(cells.at("comparisons", i, arm)) for arm in ("fixed", "gained"))
    channel = cells.at("comparisons", i, "channel")
    of = f", channel {plain_text(channel)}" if channel else ""
    return f"Fixed ({n_fixed}) minus gained ({n_gained}){of}"


def _comparison(cells: Cells, i: int) -> str:
    at = ("comparisons", i)
    margin = cells.at("settings", "comparison", "margin_per_100_um")
    more = () if margin is None else EQUIVALENCE
    rows = [
        [
            label(component),
            cells.number(
                *at, "components", component, "slope_difference_per_um", scale=_SLOPE, form=_FORM
            ),
            cells.interval(*at, "components", component, "ci95", scale=_SLOPE, form=_FORM),
            cells.p_value(*at, "components", component, "p_holm"),
            cells.number(*at, "components", component, "cohen_d", form=_FORM),
            cells.interval(*at, "components", component, "cohen_d_ci95"),
            *(give(cells, (*at, "components", component)) for _, give in more),
        ]
        for component in cells.at(*at, "components")
    ]
    head = ["", "slope", "95 % CI", "p (Holm)", "Cohen's d", "95 % CI", *(h for h, _ in more)]
    said = "".join(f"<li>{text}</li>\n" for text in _said(cells, i))
    return (f'<ul class="warnings">\n{said}</ul>\n' if said else "") + (
        table("Difference of both arms", head, rows) if rows else ""
    )


def _said(cells: Cells, i: int) -> Iterator[str]:
    """Yield what to know beside the numbers of a comparison."""
    at = ("comparisons", i)
    if cells.at(*at, "note"):
        yield cells.text(*at, "note")
    for j in range(len(cells.at(*at, "left_out"))):
        one = (*at, "left_out", j)
        yield f"left out: {cells.text(*one, 'place')}, {cells.text(*one, 'reason')}"
    for j in range(len(cells.at(*at, "warnings"))):
        yield cells.text(*at, "warnings", j)


def _figure(name: str, svg: str) -> str:
    kind, _, channel = name.partition("-")
    of = f" ({plain_text(channel)})" if channel else ""
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{_CAPTIONS[kind]}">\n'
        f"<figcaption>{_CAPTIONS[kind]}{of}</figcaption></figure>\n"
    )


def _stacks(cells: Cells) -> str:
    stacks = cells.at("stacks")
    components = next((list(s["components"]) for s in stacks if s["components"]), [])
    rows = [
        [
            cells.text("stacks", i, "place"),
            cells.text("stacks", i, "animal"),
            *(
                cells.number("stacks", i, "components", c, "slope_per_um", scale=_SLOPE, form=_FORM)
                for c in components
            ),
            cells.text("stacks", i, "error"),
        ]
        for i in range(len(stacks))
    ]
    head = ["stack", "animal", *map(label, components), "error"]
    return table("Slope of every stack", head, rows)


def _sensitivity(cells: Cells, i: int) -> str:
    """Return how what differs between the arms depends on the normalisation."""
    others = list(cells.at("sensitivity") or ())
    if not others:
        return (
            "<p>Not computed; <code>--sensitivity</code> reads the stacks again with each of the "
            "other normalisations.</p>\n"
        )
    places = [("comparisons", i), *(("sensitivity", n, "comparisons", i) for n in others)]
    rows = [
        [label(component), *(_slope(cells, (*at, "components", component)) for at in places)]
        for component in cells.at("comparisons", i, "components")
    ]
    used = f"{plain_text(cells.at('settings', 'normalisation'))} (used)"
    return table(_title(cells, i), ["", used, *map(plain_text, others)], rows)


def _slope(cells: Cells, at: tuple[str | int, ...]) -> str:
    slope = cells.number(*at, "slope_difference_per_um", scale=_SLOPE, form=_FORM)
    return f"{slope}<br>{cells.interval(*at, 'ci95', scale=_SLOPE, form=_FORM)}"


def _data(cells: Cells) -> str:
    """Return which files the stacks are."""
    rows = [
        [plain_text(place), role, cells.text(*at, "path"), f'<span class="hash">{known}</span>']
        for place, files in (cells.at("provenance", "inputs") or {}).items()
        for role in files
        for at in [("provenance", "inputs", place, role)]
        for known in [cells.text(*at, "sha256" if cells.at(*at, "sha256") else "note")]
    ]
    return table("What was read", ["stack", "", "file", "SHA-256"], rows, kind="words")


def _repeat(cells: Cells) -> str:
    command = cells.at("provenance", "command")
    said = f"<pre>{plain_text(command)}</pre>\n" if command else ""
    said += (
        "<p><code>cop replay study.json</code> reads the stacks again and says whether the numbers "
        "are the same, or which input changed.</p>\n"
    )
    leaves = [*cells.leaves("settings"), *cells.leaves("provenance")]
    rows = [
        [f"<code>{plain_text('.'.join(map(str, leaf)))}</code>", cells.value(*leaf)]
        for leaf in leaves
        if leaf[-1] != "command" and leaf[1] not in ("inputs", "protocols")
    ]
    return f"{said}{table('Settings', ['', ''], rows, kind='words')}"
