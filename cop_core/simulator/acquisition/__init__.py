"""A simulated three-photon microscope that acquires through Micro-Manager; the extra `live`."""

from cop_core.simulator.acquisition.closed_loop import Controller, LoopRun, closed_loop
from cop_core.simulator.acquisition.core import LASER_POWER, SimulatedCore, simulated_core
from cop_core.simulator.acquisition.events import stack_events
from cop_core.simulator.acquisition.plane_measures import (
    SHOT_NOISE_ORDER,
    SIGNAL_ORDER,
    look_at_noise,
    look_at_signal,
)

__all__ = [
    "LASER_POWER",
    "SHOT_NOISE_ORDER",
    "SIGNAL_ORDER",
    "Controller",
    "LoopRun",
    "SimulatedCore",
    "closed_loop",
    "look_at_noise",
    "look_at_signal",
    "simulated_core",
    "stack_events",
]
