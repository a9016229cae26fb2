"""The command demo-live: the whole way from a simulated microscope to the report."""

from __future__ import annotations

import logging
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.live import Live

from cop_core.cli.options import Device, Seed, Weights
from cop_core.cli.progress import progress_bar
from cop_core.errors import InputError

if TYPE_CHECKING:
    from cop_core.reading import Estimator
    from cop_core.simulator.acquisition import SimulatedCore
    from cop_core.stacks.growing.micromanager import MicroManagerSource
    from cop_core.statistics import Comparison, DepthProfile

_IDLE_S: Final = 0.02


def demo_live(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the report.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="sample (60 planes of 256x256) or paper (326 of 512x512).")
    ] = "sample",
    max_power_mw: Annotated[
        float, typer.Option(help="Limit of the laser in mW at the sample.")
    ] = 60.0,
    frame_ms: Annotated[float, typer.Option(min=0, help="Time of a frame in ms.")] = 100.0,
    seed: Seed = 0,
    estimator: Weights = "default",
    device: Device = "auto",
) -> None:
    """Acquire at fixed and at gained power in a simulated microscope, and read it meanwhile.

    Both stacks are taken through Micro-Manager's engine, compared as `cop compare` does, and
    reported where a folder is given.
    """
    from cop_core.report import summary_table, write_report

    with _microscope(preset, max_power_mw, seed, frame_ms) as core:
        both = _compared(core, estimator, device, seed)
    console = Console()
    console.print(summary_table(both))
    if output is not None:
        folder = write_report(both, output, command=shlex.join(["cop", *sys.argv[1:]]))
        console.print(f"report: {folder / 'report.json'}", soft_wrap=True, highlight=False)


def _compared(core: SimulatedCore, estimator: str, device: str, seed: int) -> Comparison:
    """Acquire, read and compare the protocols of the microscope's preset."""
    from cop_core.reading import load_estimator
    from cop_core.statistics import compare

    loaded = load_estimator(estimator, device=device)
    with progress_bar() as move:
        total = core.preset.planes
        core.render(core.preset.depths_um, lambda done: move("growing tissue", done, total))
    fixed, gained = (_watched(core, name, loaded) for name in core.preset.powers_mw)
    return compare(fixed, gained, seed=seed)


@contextmanager
def _microscope(
    preset: str, max_power_mw: float, seed: int, frame_ms: float
) -> Iterator[SimulatedCore]:
    """Make the microscope, which has to allow the preset's powers, and shut it down at the end."""
    try:
        from cop_core.simulator.acquisition import simulated_core
    except ModuleNotFoundError as error:
        raise InputError(
            f"the simulated microscope needs {error.name}",
            advice='install the extra "live": pip install "napari-cop[live]"',
        ) from None
    logging.getLogger("pymmcore-plus").setLevel(logging.ERROR)  # a line for every plane otherwise
    core = simulated_core(preset, max_power_mw=max_power_mw, seed=seed, frame_ms=frame_ms)
    try:
        for power_mw in core.preset.powers_mw.values():
            core.limit.require_all(power_mw)
        yield core
    finally:
        core.unloadAllDevices()


def _watched(core: SimulatedCore, name: str, estimator: Estimator) -> DepthProfile:
    """Acquire one protocol, show the noise of its planes as they come, return the profile."""
    from cop_core.cli.live_view import live_table
    from cop_core.reading.live import LiveReading

    console = Console()
    with _acquisition(core, name) as source, Live(console=console, auto_refresh=False) as screen:
        reading = LiveReading(source, estimator)
        for step in reading:
            if step.whole or step.ended:
                table = live_table(reading.profile, step, source.planned)
                screen.update(table, refresh=True)
            if step.ended:
                break
            if step.idle:
                time.sleep(_IDLE_S)
    console.print()
    return reading.profile


@contextmanager
def _acquisition(core: SimulatedCore, name: str) -> Iterator[MicroManagerSource]:
    """Run a protocol of the preset in a thread, and cancel it if what follows goes wrong."""
    from cop_core.simulator.acquisition import LASER_POWER, stack_events
    from cop_core.stacks.growing.micromanager import MicroManagerSource

    depths_um = core.preset.depths_um.tolist()
    source = MicroManagerSource(core, power=LASER_POWER, planned=len(depths_um), name=name)
    thread = core.run_mda(stack_events(depths_um, core.preset.powers_mw[name].tolist()))
    try:
        yield source
    finally:
        core.mda.cancel()
        thread.join()
        source.close()
