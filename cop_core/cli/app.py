"""The application: every failure is one line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from cop_core._version import __version__
from cop_core.cli import check, commands, network, replay, watch
from cop_core.cli.output import own_surroundings, safe_streams, say
from cop_core.errors import CancelledError, CopError
from cop_core.recipes.terms import in_flags

_KEPT: Final = {
    "profile": "nothing was kept",
    "compare": "nothing was kept",
    "batch": "stacks that were finished are kept; run it again to read the rest",
    "cohort": "images that were read are kept; run it again to read the rest",
}
"""Message on what Ctrl-C leaves behind, by command."""


class _Commands(TyperGroup):
    """Commands that report a cancellation by Ctrl-C; typer itself exits without a message."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            kept = _KEPT.get(ctx.invoked_subcommand)
            raise CancelledError("cancelled", advice=kept) from None


class _OfTwo(TyperCommand):
    """A command for two stacks, with advice if more are given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except Exception as error:  # of the library's own class, recognised only by its message
            if "unexpected extra argument" in str(error):
                say("To compare more than two stacks: cop plan, then cop batch.")
            raise


app = typer.Typer(
    name="cop",
    cls=_Commands,
    help="Measure the noise in z-stacks against depth, and compare power protocols.\n\n"
    "Start with:  cop check fixed.tif\n\n"
    "Then:  cop compare fixed.tif gained.zarr --power fixed.csv gained.csv -o report",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    check.check,
    commands.profile,
    commands.compare,
    commands.plan,
    commands.batch,
    watch.watch,
    commands.recommend,
    commands.detector,
    commands.cohort,
    commands.simulate,
    commands.simulate_cohort,
    watch.demo_live,
    replay.replay,
    network.bench,
    network.evaluate,
    network.train,
):
    app.command(cls=_OfTwo if command is commands.compare else None)(command)
app.add_typer(network.weights)


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
    """Run the command line and exit with its exit code."""
    with safe_streams() as out:
        own_surroundings()
        code = _run()
        out.flush()
        if out.lost:
            say(f"cop: cannot write to standard output ({out.lost}); files are complete.")
    sys.exit(code or int(bool(out.lost)))


def _run() -> int | str | None:
    try:
        app(standalone_mode=True)
    except SystemExit as leave:
        return leave.code
    except CopError as error:
        say(f"cop: {in_flags(error)}")
        return 130 if isinstance(error, CancelledError) else 2
    return 0
