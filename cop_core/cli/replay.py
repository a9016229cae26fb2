"""The command `replay`, which computes a report again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from cop_core.cli.output import bars, tell
from cop_core.recipes import command_of

if TYPE_CHECKING:
    from cop_core.report import Agreement, Document, InputFile

_MOST_ROWS: Final = 20
_MOST_INPUTS: Final = 12


def replay(
    report: Annotated[
        Path,
        typer.Argument(
            help="report.json, study.json, recommendation.json, detector.json or cohort.json, or "
            "its folder.",
            metavar="REPORT",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder in which to look for stacks, power tables and weights."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the new report to this folder.")
    ] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="Relative difference that counts as the same. [1e-6]")
    ] = None,
) -> None:
    """Compute a report again and check whether inputs and numbers are the same.

    Exit codes: 0 the same numbers, 1 different numbers, 2 it cannot be computed (an input is
    missing, or this is not a report).
    """
    from cop_core.pipeline import Working
    from cop_core.pipeline.replay import replay as compute
    from cop_core.report import TOLERANCE, find_inputs, read_document, write_report
    from cop_core.writing import require_place

    if output:
        require_place(output)
    stated = read_document(report)
    folder = report if report.is_dir() else report.parent
    with bars() as show:

        def hashing(done: int, total: int) -> None:
            show(Working("SHA-256, bytes", done=done, total=total))

        inputs = find_inputs(stated, folder, data=data, progress=hashing)
    tell(_inputs_table(inputs))
    most = TOLERANCE if tolerance is None else tolerance
    with bars() as show:
        again = compute(stated, inputs, tolerance=most, folder=output, on_event=show)
    tell(*_versions(stated, again.document))
    if output:
        command = command_of(again.document.recipe, output)
        written = write_report(again.record, output, command=command)
        tell(f"report: {written}")
    tell(_verdict(again.agreement, inputs))
    if again.agreement.differences:
        tell(_differences_table(again.agreement))
        raise typer.Exit(1)


def _inputs_table(inputs: Sequence[InputFile]) -> Table:
    """Return a table of the inputs; if there are many, only of those that differ."""
    other = [each for each in inputs if each.path is None or each.changed]
    shown = inputs if len(inputs) <= _MOST_INPUTS else other
    caption = f"{len(inputs) - len(other)} of {len(inputs)} inputs were found, with no known change"
    table = Table("input", caption=caption * (shown is other))
    for column in ("file", "state"):
        table.add_column(column, overflow="fold")
    for each in shown:
        table.add_row(*map(Text, (each.title, str(each.path or each.stated), each.state)))
    return table


def _versions(stated: Document, again: Document) -> list[str]:
    """Return the versions that differ from those of the report, in words."""
    was, now = ({k: v for part in _parts(d) for k, v in part.items()} for d in (stated, again))
    return [f"{n}: was {was[n]}, is {now[n]}" for n in was if n in now and was[n] != now[n]]


def _parts(document: Document) -> Iterator[Mapping[str, str]]:
    yield document.provenance.versions
    yield from (made.versions for made in document.provenance.protocols.values())


def _verdict(agreed: Agreement, inputs: Sequence[InputFile]) -> Text:
    n_apart = len(agreed.differences)
    changed = ", ".join(each.title for each in inputs if each.changed)
    if n_apart:
        known = f"Changed: {changed}." if changed else "No input is known to have changed."
        return Text(
            f"Different numbers: {n_apart} of {agreed.n} values differ. {known}", style="red"
        )
    text = f"The same numbers: {agreed.n} values"
    text += f", relative differences up to {agreed.largest:.1g}." if agreed.largest else "."
    if changed:
        text += f" These files have changed, however: {changed}."
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
