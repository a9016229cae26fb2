"""The command that computes a report again."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cop_core.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cop_core.report.differences import Agreement
    from cop_core.report.replay import Repeated
    from cop_core.report.sources import Source

TOLERANCE: Final = 1e-6  # said again in cop_core.report; importing it is too slow for --help
_MOST_ROWS = 20
_MOST_SOURCES = 12


def replay(
    report: Annotated[
        Path,
        typer.Argument(help="report.json, study.json, recommendation.json, or the folder of one."),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder to look for stacks, power tables and weights by name."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the new report to this folder.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Relative difference that counts as the same.")
    ] = TOLERANCE,
) -> None:
    """Compute a report again and say whether inputs and numbers are the same.

    Exit codes: 0 the same numbers, 1 other numbers, 2 it cannot be computed (an input is gone,
    or this is no report).
    """
    from cop_core.report.differences import agreement
    from cop_core.report.replay import read_document
    from cop_core.report.sources import find_sources

    document = read_document(report)
    folder = report if report.is_dir() else report.parent
    console = Console()
    with progress_bar() as move:
        found = find_sources(
            document, folder, data=data, progress=lambda n, total: move("SHA-256, bytes", n, total)
        )
    console.print(_sources_table(found))
    with progress_bar() as move:
        again = _repeat(document["kind"])(
            document, found, lambda name, done, total: move("planes", done, total, name)
        )
    agreed = agreement(document, again.document, tolerance=tolerance)
    for change in _versions(document, again.document):
        console.print(Text(change))
    if output:
        written = again.write(output, shlex.join(["cop", *sys.argv[1:]]))
        console.print(f"report: {written}", soft_wrap=True, highlight=False)
    console.print(_verdict(agreed, found))
    if agreed.differences:
        console.print(_differences_table(agreed))
        raise typer.Exit(1)


def _repeat(kind: str) -> Callable[..., Repeated]:
    """Return what computes a kind of document again."""
    if kind == "study":
        from cop_core.study.replay import repeat_study

        return repeat_study
    if kind == "recommendation":
        from cop_core.power.replay import repeat_recommendation

        return repeat_recommendation
    from cop_core.report.replay import repeat_report

    return repeat_report


def _sources_table(found: Sequence[Source]) -> Table:
    """Return the inputs; of many, those that are not the same."""
    other = [source for source in found if source.path is None or source.changed]
    shown = found if len(found) <= _MOST_SOURCES else other
    caption = f"{len(found) - len(other)} of {len(found)} inputs are there and not known to differ"
    table = Table("protocol", "input", caption=caption * (shown is other))
    for column in ("file", "state"):
        table.add_column(column, overflow="fold")
    for source in shown:
        texts = (source.protocol, source.role, str(source.path or source.stated), source.state)
        table.add_row(*map(Text, texts))
    return table


def _versions(stated: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """Return the versions that are not those of the report, in words."""
    was, now = (
        dict(pair for part in _version_parts(document) for pair in part.items())
        for document in (stated, again)
    )
    return [f"{n}: was {was[n]}, is {now[n]}" for n in was if n in now and was[n] != now[n]]


def _version_parts(document: dict[str, Any]) -> list[dict[str, str]]:
    made = document["provenance"]
    return [
        made.get("versions") or {},
        *(p.get("versions") or {} for p in made["protocols"].values()),
    ]


def _verdict(agreed: Agreement, found: Sequence[Source]) -> Text:
    n_apart = len(agreed.differences)
    changed = ", ".join(f"{s.role} of {s.protocol}" for s in found if s.changed)
    if n_apart:
        known = f"Changed: {changed}." if changed else "No input is known to have changed."
        return Text(f"Other numbers: {n_apart} of {agreed.n} values differ. {known}", style="red")
    text = f"The same numbers: {agreed.n} values"
    text += f", relative differences up to {agreed.largest:.1g}." if agreed.largest else "."
    if changed:
        text += f" Yet other files: {changed}."
    return Text(text, style="green")


def _differences_table(agreed: Agreement) -> Table:
    rest = len(agreed.differences) - _MOST_ROWS
    table = Table(caption=f"and {rest} more" * (rest > 0))
    for column in ("value", "stated", "now", "relative"):
        table.add_column(column, overflow="fold")
    for one in agreed.differences[:_MOST_ROWS]:
        by = f"{one.relative:.2g}" if math.isfinite(one.relative) else "–"
        table.add_row(*(Text(x) for x in (one.where, str(one.stated), str(one.found), by)))
    return table
