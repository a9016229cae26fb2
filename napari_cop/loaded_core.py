"""The Micro-Manager core of this program, for acquiring a recommended power."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cop_core.errors import InputError

if TYPE_CHECKING:
    from pymmcore_plus import CMMCorePlus

    from cop_core.power.acquisition_plan import PowerSequence

_ADVICE = "Load its configuration in this program, for example with napari-micromanager"


def core_for(plan: PowerSequence) -> CMMCorePlus:
    """Return the loaded core, which must have a camera and the plan's laser.

    Raises
    ------
    InputError
        If it has not, or is already acquiring.
    """
    module = sys.modules.get("pymmcore_plus")  # any program that loads a configuration imports it
    core = module.CMMCorePlus.instance() if module else None
    if core is None or not core.getCameraDevice():
        raise InputError("no Micro-Manager core with a camera is loaded", advice=_ADVICE)
    device, name = plan.laser
    if device not in core.getLoadedDevices() or not core.hasProperty(device, name):
        raise InputError(
            f"the core has no property {name!r} of a device {device!r} that sets the power",
            where="Laser",
            advice="enter the property that sets the power in mW at the sample under More, Laser",
        )
    if core.mda.is_running():
        raise InputError("an acquisition is already running", advice="wait until it has ended")
    return core


def said_of(plan: PowerSequence) -> str:
    """Describe a plan in words."""
    power, depths = plan.power_mw, [event.z_pos or 0.0 for event in plan]
    return (
        f"{len(power)} planes, stage {depths[0]:g} to {depths[-1]:g} µm, "
        f"{'-'.join(plan.laser)} {min(power):.3g} to {max(power):.3g} mW"
    )
