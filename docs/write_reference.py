"""Write what code says of itself: the tables of reference.md and columns.md, and both schemas.

python docs/write_reference.py. A table of options stands between <!-- options: COMMAND --> and
<!-- end -->, one of columns between <!-- columns: NAME --> and <!-- end -->.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import typer

from cop_core.cli import app
from cop_core.components import CLEAN
from cop_core.recipes.plan import columns
from cop_core.recipes.schema import recipe_schema
from cop_core.records import plane_columns
from cop_core.report.schema import document_schema
from cop_core.report.study import study_columns

HERE = Path(__file__).parent
PAGES = ("reference.md", "columns.md")
COLUMNS = re.compile(r"(<!-- columns: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
TABLE = re.compile(r"(<!-- options: (\S+?)(?: without (\S+))? -->\n).*?(<!-- end -->)", re.DOTALL)
COMMANDS = typer.main.get_command(app).commands


def rows(command: str) -> dict[str, str]:
    """Return the options of a command as rows of a table, by their last spelling."""
    found = {}
    for option in COMMANDS[command].params:
        if option.param_type_name == "option":
            spelled = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
            value = f" `{option.metavar}`".replace("|", "\\|") if option.metavar else ""
            text = re.sub(r"\.? \[([^][]+)\]$", r" (default: \1).", option.help)
            required = " (required)" if option.required else ""
            text = text.replace("|", "\\|")
            found[option.opts[-1]] = f"| {spelled}{value}{required} | {text} |"
    return found


def with_tables(text: str) -> str:
    """Return a page with its tables as they are to be."""

    def table(found: re.Match[str]) -> str:
        head, command, without, end = found.groups()
        left_out = rows(without) if without else {}
        own = [row for name, row in rows(command).items() if left_out.get(name) != row]
        return "\n".join([f"{head}", "| option | |", "| --- | --- |", *own, "", end])

    def described(found: re.Match[str]) -> str:
        head, name, end = found.groups()
        return "\n".join([head, *COLUMN_TABLES[name](), "", end])

    return COLUMNS.sub(described, TABLE.sub(table, text))


def plan_columns() -> list[str]:
    """Return the columns of a study's plan as lines of a table."""
    known = (f"| `{name}` | {option.help} |" for name, option in columns().items())
    return ["| column | |", "| --- | --- |", *known]


def described(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return columns with units and meanings as lines of a table."""
    known = (f"| `{name}` | {unit} | {meaning} |" for name, unit, meaning in rows)
    return ["| column | unit | meaning |", "| --- | --- | --- |", *known]


COLUMN_TABLES = {
    "plan": plan_columns,
    "planes": lambda: described((c.name, c.unit, c.meaning) for c in plane_columns([CLEAN])),
    "study": lambda: described(study_columns()),
}


def schemas() -> dict[str, str]:
    """Return the texts of the schemas, by file name."""
    found = {"recipe.schema.json": recipe_schema(), "document.schema.json": document_schema()}
    return {n: json.dumps(s, indent=1, ensure_ascii=False) + "\n" for n, s in found.items()}


def main() -> None:
    """Write all."""
    for name in PAGES:
        page = HERE / name
        page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
    for name, text in schemas().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
