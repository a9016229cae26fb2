"""Tables of text, for the terminal, for windows and for copying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cop_core.report.document import document_of
from cop_core.report.kinds import kind_of
from cop_core.report.verdict_parts import parts_of

if TYPE_CHECKING:
    from rich.console import Group

    from cop_core.report.columns import TextTable


def tables_of(record: Any, *, brief: bool = False) -> list[TextTable]:
    """Return results as tables of text.

    Parameters
    ----------
    record
        As for `document_of`.
    brief : bool
        Whether they must fit a terminal of 80 columns.
    """
    kind, record = kind_of(record)
    return kind.tables(record, document_of(record).tree, brief=brief)


def summary(record: Any) -> Group:
    """Return the tables and the caveats of a record, for ``rich.console.Console.print``."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    kind, record = kind_of(record)
    document = document_of(record)
    verdict = parts_of(document.tree["verdict"])
    parts: list[Table | Text] = [Text(verdict.headline, style="bold")]
    parts += [Text(said) for said in (verdict.further, verdict.next_step) if said]
    for each in kind.tables(record, document.tree, brief=True):
        table = Table(title=Text(each.title), title_justify="left", min_width=60)
        first, *others = each.head
        table.add_column(first, no_wrap=True)  # other columns wrap before a name is cut
        for head in others:
            table.add_column(head, justify="right", overflow="fold")
        for row in each.rows:
            table.add_row(*map(Text, row))
        if each.caption:
            table.caption = Text(each.caption)
        parts.append(table)
    return Group(*parts, *(Text(f"! {said}", style="yellow") for said in document.caveats))
