"""The application and its way out: every failure is one line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from cop_core._version import __version__
from cop_core.cli import batch, demo, live, model, power, replay, stacks
from cop_core.errors import CancelledError, CopError


class _Commands(TyperGroup):
    """Commands that Ctrl-C cancels; typer itself would leave without a word."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise CancelledError("cancelled") from None


app = typer.Typer(
    name="cop",
    cls=_Commands,
    help="Read the noise in z-stacks: noise against depth, and two power protocols compared.\n\n"
    "Start with:  cop compare fixed.tif gained.zarr --power fixed.csv gained.csv -o report",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(stacks.profile)
app.command()(stacks.compare)
app.command()(batch.plan)
app.command()(batch.batch)
app.command()(live.watch)
app.command()(power.recommend)
app.command()(stacks.simulate)
app.command()(demo.demo_live)
app.command()(replay.replay)
app.command()(model.evaluate)
app.command()(model.train)
app.add_typer(model.weights)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"cop {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        app(standalone_mode=True)
    except CancelledError as error:
        _say(error)
        sys.exit(130)
    except CopError as error:
        _say(error)
        sys.exit(2)


def _say(error: object) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"cop: {error}", markup=False)
