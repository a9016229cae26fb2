"""Runs of the simulated microscope: pairs of stacks on disk, and acquisitions read live."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from cop_core.errors import CancelledError, InputError
from cop_core.pipeline.events import Means, Opened
from cop_core.pipeline.reading import follow
from cop_core.pipeline.run import run_with
from cop_core.reading import StackReader, estimator_for
from cop_core.recipes import AcquireRecipe, ComparisonOptions, SimulateCohortRecipe, SimulateRecipe
from cop_core.records import Comparison
from cop_core.statistics import compare

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.simulator import PairFiles
    from cop_core.simulator.acquisition import SimulatedCore
    from cop_core.stacks.growing.micromanager import MicroManagerSource


@run_with.register(SimulateRecipe)
def _simulate(recipe: SimulateRecipe, means: Means) -> PairFiles:
    from cop_core.simulator import write_pair

    if means.folder is None:
        raise InputError("no folder is set for the simulated pair", advice="specify a folder")
    progress = means.progress("simulating planes")
    return write_pair(means.folder, recipe.preset, recipe.seed, progress)


@run_with.register(SimulateCohortRecipe)
def _simulate_cohort(recipe: SimulateCohortRecipe, means: Means) -> Path:
    from cop_core.simulator import write_cohort

    if means.folder is None:
        raise InputError("no folder is set for the simulated cohort", advice="specify a folder")
    progress = means.progress("simulating images")
    return write_cohort(means.folder, recipe.model, recipe.pictures, recipe.seed, progress)


@run_with.register(AcquireRecipe)
def _acquire(recipe: AcquireRecipe, means: Means) -> Comparison:
    """Acquire both protocols of the preset, reading them live, and compare them."""
    estimator = means.estimator or estimator_for(recipe.reading)
    profiles = []
    with _microscope(recipe) as core:
        names, progress = tuple(core.preset.powers_mw), means.progress("growing tissue")
        core.render(core.preset.depths_um, lambda done: progress(done, core.preset.planes))
        means.on_event(Opened(names, estimator.components, (np.empty(0),) * len(names)))
        for number, name in enumerate(names):
            with _acquisition(core, name) as source:
                reader = StackReader(source, estimator, recipe.reading, name=name)
                whole = follow(number, source, reader, means, name)
            profiles.append(reader.profile)
            if not whole:
                raise CancelledError("cancelled", where=name)
    fixed, gained = profiles
    return compare(fixed, gained, ComparisonOptions(seed=recipe.seed))


@contextmanager
def _microscope(recipe: AcquireRecipe) -> Iterator[SimulatedCore]:
    """Make the microscope, which must allow the preset's powers, and shut it down at the end."""
    try:
        from cop_core.simulator.acquisition import simulated_core
    except ModuleNotFoundError as error:
        raise InputError(
            f"the simulated microscope needs {error.name}",
            advice='install the extra "live": pip install "napari-cop[live]"',
        ) from None
    logging.getLogger("pymmcore-plus").setLevel(logging.ERROR)  # otherwise it logs a line per plane
    core = simulated_core(
        recipe.preset,
        max_power_mw=recipe.max_power_mw,
        seed=recipe.seed,
        frame_ms=recipe.frame_ms,
    )
    try:
        for power_mw in core.preset.powers_mw.values():
            core.limit.require_all(power_mw)
        yield core
    finally:
        core.unloadAllDevices()


@contextmanager
def _acquisition(core: SimulatedCore, name: str) -> Iterator[MicroManagerSource]:
    """Run a protocol of the preset in a thread, and cancel it if the block fails."""
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
