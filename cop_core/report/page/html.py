"""The report as one HTML page that needs nothing beside it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from cop_core.report.page import provenance, results, validity
from cop_core.report.page.bibliography import bibtex
from cop_core.report.page.cells import Cells, plain_text
from cop_core.report.page.frame import whole_page
from cop_core.report.page.methods import methods

if TYPE_CHECKING:
    from collections.abc import Mapping


def report_html(document: dict[str, Any], drawings: Mapping[str, str]) -> str:
    """Return a report as one page: no script, no network, for the screen and for print.

    Parameters
    ----------
    document : dict
        From `report_document`; every number on the page is one of its own.
    drawings : mapping of str to str
        Figures as SVG, by name.

    Returns
    -------
    str
        HTML. Whatever the document holds is escaped.
    """
    cells = Cells(document)
    version = cells.text("provenance", "versions", "napari-cop")
    schema = cells.text("schema_version")
    return whole_page(
        " and ".join(map(plain_text, cells.names())),
        [
            provenance.sources(cells),
            f"Made by napari-cop {version}. Every number on this page is from\n"
            f"<code>report.json</code>, schema {schema}.",
        ],
        list(_sections(cells, drawings).items()),
    )


def _sections(cells: Cells, drawings: Mapping[str, str]) -> dict[str, str]:
    """Return the contents of the page, title to HTML."""
    return {
        "What to know before the numbers": _warnings(cells),
        "Figures": results.figures(cells, drawings),
        "Slopes and effects": _tables(cells),
        "Validity": validity.validity(cells),
        "Data": provenance.data(cells) + _TREE,
        "Excitation": provenance.excitation(cells),
        "Settings": provenance.settings(cells),
        "Methods, for a paper": methods(cells),
        "To cite": _cite(cells),
        "Repeat it": _repeat(cells),
        "Environment": provenance.environment(cells),
        "All statistics": results.definitions(cells) + results.every_statistic(cells),
    }


def _warnings(cells: Cells) -> str:
    found = range(len(cells.at("warnings") or ()))
    items = "".join(f"<li>{cells.text('warnings', i)}</li>\n" for i in found)
    return f'<ul class="warnings">\n{items}</ul>\n' if items else ""


def _tables(cells: Cells) -> str:
    """Return the lines of every protocol and what differs between them."""
    lines = "".join(results.protocol_table(cells, name) for name in cells.names())
    effects = results.effects_table(cells) if cells.at("comparison") else ""
    breaks = "".join(results.breaks_table(cells, name) for name in cells.names())
    return (
        f"{lines}{effects}{breaks}<p>What each number is stands under <b>All statistics</b>.</p>\n"
    )


def _cite(cells: Cells) -> str:
    version = str(cells.at("provenance", "versions", "napari-cop"))
    return (
        "<p>The paper whose method this is, and the software; the paper's authors stand on its "
        f"page.</p>\n<pre>{html.escape(bibtex(version))}</pre>\n"
    )


def _repeat(cells: Cells) -> str:
    """Return the commands that repeat the report."""
    made = ""
    if cells.at("provenance", "command"):
        made = f"<p>Made with</p>\n<pre>{cells.text('provenance', 'command')}</pre>\n"
    return (
        "<p>In the folder of this page, with napari-cop installed:</p>\n"
        "<pre>cop replay report.json</pre>\n"
        "<p>reads the stacks again and says whether the numbers are the same, or which input "
        "changed. Where the stacks lie elsewhere, add <code>--data FOLDER</code>.</p>\n" + made
    )


_TREE = (
    "<p><small>The SHA-256 of a folder is that of a list of its files, and can be had without "
    "this software: in the folder, <code>find . -xtype f -print0 | LC_ALL=C sort -z | xargs -0 "
    "sha256sum | sha256sum</code>.</small></p>\n"
)
