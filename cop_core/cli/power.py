"""The command on power: recommend."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from cop_core.cli.options import AS_FILE, Options, with_options
from cop_core.cli.progress import progress_bar
from cop_core.cli.stacks import open_stacks

if TYPE_CHECKING:
    from cop_core.power import Recommendation

_ROWS = 12


@with_options
def recommend(
    stack: Annotated[Path, typer.Argument(help="TIFF or zarr, taken at known power.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the files.")],
    max_power_mw: Annotated[float, typer.Option(help="Limit in mW at the sample.")],
    power: Annotated[
        str,
        typer.Option(help="Power of the stack: mW, a CSV, gained:P0,l,Pmax, or metadata."),
    ] = AS_FILE,
    hold: Annotated[
        str, typer.Option(help="What to hold: signal, poisson, gaussian or quantization.")
    ] = "signal",
    level: Annotated[
        float | None,
        typer.Option(help="Level to hold: counts of signal, or a strength from 0 to 1."),
    ] = None,
    surface_power_mw: Annotated[
        float | None, typer.Option(help="Power at depth 0, in place of a level.")
    ] = None,
    excitation_order: Annotated[
        int, typer.Option(help="Photons absorbed at once: 3, or 2 for two-photon.")
    ] = 3,
    max_rise_mw: Annotated[
        float | None, typer.Option(help="Largest rise from plane to plane, in mW.")
    ] = None,
    frame_time_s: Annotated[
        float | None, typer.Option(help="Time a plane takes, for energies in mJ.")
    ] = None,
    window_um: Annotated[
        tuple[float, float] | None, typer.Option(help="Depths to fit: lowest and highest.")
    ] = None,
    follow_um: Annotated[
        float,
        typer.Option(help="Depth over which the tissue's own course is followed; 0: not at all."),
    ] = 120.0,
    laser: Annotated[
        tuple[str, str],
        typer.Option(help="Device and property that take mW at the sample, for plan.json."),
    ] = ("Laser", "Power_mW"),
    surface_um: Annotated[
        float, typer.Option(help="Stage position of depth 0, for plan.json.")
    ] = 0,
    stage_falls: Annotated[
        bool, typer.Option("--stage-falls", help="The stage's z falls with depth, for plan.json.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Recommend the power that holds the signal or a noise over depth, below a limit in mW.

    Writes recommendation.json, power.csv (for --power), plan.json (for pymmcore-plus) and
    figures/power.*.
    """
    from cop_core.power import SIGNAL, recommend_power, write_recommendation

    (opened,) = open_stacks([stack], [power], [None], options)
    with progress_bar() as move:
        found = recommend_power(
            opened,
            max_power_mw=max_power_mw,
            surface_power_mw=surface_power_mw,
            hold=hold,
            level=level,
            excitation_order=excitation_order,
            offset_counts=options.offset_counts,
            max_rise_mw=max_rise_mw,
            frame_time_s=frame_time_s,
            window_um=window_um,
            follow_um=follow_um,
            estimator="default" if hold == SIGNAL else options.load(),
            settings=None if hold == SIGNAL else options.settings(),
            progress=lambda done, total: move("reading planes", done, total),
        )
    folder = write_recommendation(
        found,
        output,
        laser=laser,
        surface_um=surface_um,
        downwards=-1 if stage_falls else 1,
        command=shlex.join(["cop", *sys.argv[1:]]),
    )
    console = Console()
    console.print(_summary(found))
    console.print(f"power: {folder / 'power.csv'}", soft_wrap=True, highlight=False)


def _summary(found: Recommendation) -> Group:
    notes = [Text(f"! {note}", style="yellow") for note in found.notes]
    return Group(_layers(found), _curve(found), _energy(found), *notes)


def _layers(found: Recommendation) -> Table:
    attenuation = found.attenuation
    used = f"{int(attenuation.used.sum())} of {len(attenuation.used)} planes"
    table = _table(
        f"{attenuation.signal.name}: attenuation length ({used})", "depth, µm", "length, µm"
    )
    for layer in attenuation.layers:
        low, high = layer.length_ci95_um
        table.add_row(
            f"{layer.top_um:.0f} to {layer.bottom_um:.0f}",
            f"{layer.length_um:.0f} [{low:.0f}, {high:.0f}]",
        )
    return table


def _curve(found: Recommendation) -> Table:
    title = f"power that holds the {found.held.label} at {found.held.text(found.level)}"
    table = _table(title, "depth, µm", "power, mW", "95 % interval", "expected", "")
    step = max(math.ceil((len(found.depth_um) - 1) / _ROWS), 1)
    last = len(found.depth_um) - 1
    for index in sorted({*range(0, last + 1, step), last}):
        marks = {"limit": found.capped[index], "beyond": found.extrapolated[index]}
        ends = (min(x[index], found.limit.max_mw) for x in (found.low_mw, found.high_mw))
        table.add_row(
            f"{found.depth_um[index]:.0f}",
            f"{found.power_mw[index]:.2f}",
            " to ".join(f"{end:.2f}" for end in ends),
            found.held.text(found.expected[index]),
            ", ".join(name for name, holds in marks.items() if holds),
        )
    return table


def _energy(found: Recommendation) -> Table:
    energy = found.energy
    unit, scale = ("mJ", energy.frame_time_s) if energy.frame_time_s else ("mW planes", 1.0)
    title = f"light over the {energy.planes} planes that reach the level, equal noise"
    table = _table(title, "protocol", unit, "recommended saves")
    rows = {
        "recommended": (energy.recommended, math.nan),
        f"exponential, {energy.exponential_length_um:.0f} µm": (
            energy.exponential,
            energy.saving_on_exponential,
        ),
        f"fixed, {energy.fixed_mw:.1f} mW": (energy.fixed, energy.saving_on_fixed),
    }
    for name, (total, saved) in rows.items():
        table.add_row(
            name, f"{scale * total:.1f}", "" if math.isnan(saved) else f"{100 * saved:.0f} %"
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title), title_justify="left", min_width=60)
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table
