"""Commands for growing stacks: watch, and the simulated microscope."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cop_core.cli.asked import asks
from cop_core.cli.output import interruptible, say, tell
from cop_core.errors import CancelledError, InputError
from cop_core.recipes import AcquireRecipe, Recipe, WatchRecipe
from cop_core.recipes.argv import typed_as
from cop_core.records import State

if TYPE_CHECKING:
    from cop_core.cli.live_view import WatchedStack
    from cop_core.records import AnalysedProfile, Comparison

OutIfAny = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", help="Folder for a report at the end."),
]


@asks(WatchRecipe, path="File or folder that is being written; it does not have to exist yet.")
def watch(
    recipe: WatchRecipe,
    output: OutIfAny = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per plane and nothing else.")
    ] = False,
) -> None:
    """Measure noise against depth while a stack is being acquired.

    Ends when all planes have arrived, when none has arrived for a while, or at Ctrl-C. If you set
    --stop-after, it applies to the first plane too.
    """
    from cop_core.cli.live_view import WatchedStack, json_lines, tables
    from cop_core.pipeline import run
    from cop_core.writing import require_place

    if output:
        require_place(output)
    seen = WatchedStack()
    with interruptible() as stop, (json_lines if as_json else tables)(seen) as show:

        def follow(event: object) -> None:
            show(event)
            waits(seen)
            if getattr(sys.stdout, "lost", "") and output is None:
                stop.set()  # output is no longer needed

        waits = _patience(recipe)
        found = run(recipe, on_event=follow, cancelled=stop.is_set, so_far=not as_json)
    ended = "cancelled" if stop.is_set() or seen.last is None else seen.last.step.state.value
    text = f"{ended}: {_count(seen)}"
    if ended == State.STOPPED.value and seen.last and seen.last.planned:
        text += f" arrived, none for {recipe.stopped_after_s:g} s: "
        text += "the acquisition was aborted or is waiting"
    if output and seen.came:
        _report(found, recipe, output, quiet=as_json)
    if stop.is_set():
        raise CancelledError(text, where=recipe.stack.source)
    say(f"{recipe.stack.source}: {text}")
    if not as_json and output is None and seen.came:
        tell(found.verdict)


@asks(AcquireRecipe)
def demo_live(recipe: AcquireRecipe, output: OutIfAny = None) -> None:
    """Acquire at fixed and at gained power in a simulated microscope, and read the noise live.

    Both stacks are acquired with the engine of pymmcore-plus and compared as in `cop compare`.
    Use -o to write a report.
    """
    from cop_core.cli.live_view import WatchedStack, tables
    from cop_core.pipeline import run
    from cop_core.report import summary
    from cop_core.writing import require_place

    if output:
        require_place(output)
    with tables(WatchedStack()) as show:
        both = run(recipe, on_event=show, so_far=True)
    if output is None:
        tell(summary(both))
    else:
        _report(both, recipe, output)


def _patience(recipe: WatchRecipe) -> Callable[[WatchedStack], None]:
    """Return a callback that gives up if no first plane arrives within the given time, if any."""
    given = "stopped_after_s" in recipe.model_fields_set
    begun: float | None = None

    def wait(seen: WatchedStack) -> None:
        nonlocal begun
        step = seen.last.step if seen.last else None
        if not given or step is None or step.state is not State.WAITING:
            return
        begun = begun or time.monotonic()
        if time.monotonic() - begun > recipe.stopped_after_s:
            raise _nothing_came(recipe)

    return wait


def _nothing_came(recipe: WatchRecipe) -> InputError:
    """Return the error that no plane arrived, with the problem of existing files."""
    from cop_core.stacks import open_stack

    what = f"no plane arrived within {recipe.stopped_after_s:g} s"
    where = recipe.stack.source
    try:
        open_stack(where, recipe.stack)
    except InputError as error:
        if where is not None and os.path.exists(where):  # noqa: PTH110 - false for names too long
            return InputError(f"{what}: {error.what}", where=where, advice=error.advice)
    return InputError(what, where=where, advice="check the path, or wait longer")


def _count(seen: WatchedStack) -> str:
    """Return the number of planes that arrived, and of those planned."""
    came, planned = len(seen.came), seen.last.planned if seen.last else None
    if planned:
        return f"{came} of {planned} planes"
    return f"{came} plane{'s' if came != 1 else ''}; the total number is not known"


def _report(
    found: AnalysedProfile | Comparison, recipe: Recipe, output: Path, *, quiet: bool = False
) -> None:
    """Write the report, with the command that reads the stack again if there is one."""
    from cop_core.report import recipe_of, summary, why_not_repeatable, write_report

    if not quiet:
        tell(summary(found))
    asked = recipe if why_not_repeatable(found) else recipe_of(found)
    folder = write_report(found, output, command=typed_as(asked, output))
    if not quiet:
        tell(f"report: {folder / 'report.html'}")
