"""A simulated three-photon microscope that acquires through Micro-Manager; the extra `live`."""

from cop_core.simulator.acquisition.closed_loop import (
    SHOT_NOISE_ORDER,
    SIGNAL_ORDER,
    Controller,
    LoopRun,
    closed_loop,
    noise_measure,
    signal_measure,
)
from cop_core.simulator.acquisition.core import (
    LASER_POWER,
    SimulatedCore,
    simulated_core,
    stack_events,
)

__all__ = [
    "LASER_POWER",
    "SHOT_NOISE_ORDER",
    "SIGNAL_ORDER",
    "Controller",
    "LoopRun",
    "SimulatedCore",
    "closed_loop",
    "noise_measure",
    "signal_measure",
    "simulated_core",
    "stack_events",
]
