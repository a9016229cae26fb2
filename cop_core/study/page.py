"""The report of a study as one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from cop_core.report.page.cells import Cells, plain_text, table
from cop_core.report.protocols import label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="napari-cop">
<title>Noise against depth: a study</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kind">Noise against depth</p>
<h1>Study of {n} stacks</h1>
<p class="from">Every number on this page is from <code>study.json</code>, schema {schema}.
Slopes in % per 100 µm, intervals of 95 %.</p>
</header>
<main>
{sections}</main>
</body>
</html>
"""
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
    cells = Cells(document)
    sections = [
        *(_comparison(cells, i) for i in range(len(document["comparisons"]))),
        *(_figure(name, svg) for name, svg in drawings.items()),
        _stacks(cells),
        _repeat(cells),
    ]
    return _PAGE.format(
        style=resources.files("cop_core.report.page").joinpath("page.css").read_text("utf-8"),
        n=len(document["stacks"]),
        schema=cells.text("schema_version"),
        sections="".join(f"<section>\n{section}</section>\n" for section in sections),
    )


def _comparison(cells: Cells, i: int) -> str:
    at = ("comparisons", i)
    n_fixed, n_gained = (len(cells.at(*at, arm)) for arm in ("fixed", "gained"))
    channel = f", channel {cells.text(*at, 'channel')}" if cells.at(*at, "channel") else ""
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
        ]
        for component in cells.at(*at, "components")
    ]
    head = ["", "slope", "95 % CI", "p (Holm)", "Cohen's d", "95 % CI"]
    said = "".join(f"<li>{text}</li>\n" for text in _said(cells, i))
    return (
        f"<h2>Fixed ({n_fixed}) minus gained ({n_gained}){channel}</h2>\n"
        + (f'<ul class="warnings">\n{said}</ul>\n' if said else "")
        + (table("Difference of both arms", head, rows) if rows else "")
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
    return f"<h2>Stacks</h2>\n{table('Slope of every stack', head, rows)}"


def _repeat(cells: Cells) -> str:
    command = cells.at("provenance", "command")
    said = f"<pre>{plain_text(command)}</pre>\n" if command else ""
    leaves = [*cells.leaves("settings"), *cells.leaves("provenance")]
    rows = [
        [f"<code>{plain_text('.'.join(map(str, leaf)))}</code>", cells.value(*leaf)]
        for leaf in leaves
        if leaf[-1] != "command"
    ]
    return f"<h2>How it was made</h2>\n{said}{table('Settings', ['', ''], rows, kind='words')}"
