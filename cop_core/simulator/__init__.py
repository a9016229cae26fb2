"""A three-photon digital phantom and microscope with known truth."""

from cop_core.simulator.detector import Detector
from cop_core.simulator.imaging import Exposure, Microscope, simulate, simulate_pair
from cop_core.simulator.optics import Optics
from cop_core.simulator.pair import PairFiles, write_pair
from cop_core.simulator.phantom import Phantom
from cop_core.simulator.presets import PRESETS, Preset
from cop_core.simulator.truth import PlaneTruth, Strengths

__all__ = [
    "PRESETS",
    "Detector",
    "Exposure",
    "Microscope",
    "Optics",
    "PairFiles",
    "Phantom",
    "PlaneTruth",
    "Preset",
    "Strengths",
    "simulate",
    "simulate_pair",
    "write_pair",
]
