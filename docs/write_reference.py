"""Write what code says of itself: option tables of reference.md, recipe.schema.json.

python docs/write_reference.py. A table stands between <!-- options: COMMAND --> and <!-- end -->,
that of a plan's columns between <!-- columns --> and <!-- end -->.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer

from cop_core.cli import app
from cop_core.recipes.plan import columns
from cop_core.recipes.schema import recipe_schema

HERE = Path(__file__).parent
COLUMNS = re.compile(r"(<!-- columns -->\n).*?(<!-- end -->)", re.DOTALL)
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

    known = "\n".join(f"| `{name}` | {option.help} |" for name, option in columns().items())
    plan = f"\\1| column | |\n| --- | --- |\n{known}\n\n\\2"
    return COLUMNS.sub(plan, TABLE.sub(table, text))


def main() -> None:
    """Write both."""
    page = HERE / "reference.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
    schema = json.dumps(recipe_schema(), indent=1, ensure_ascii=False) + "\n"
    (HERE / "recipe.schema.json").write_text(schema, encoding="utf-8")


if __name__ == "__main__":
    main()
