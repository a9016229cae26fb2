"""A three-photon digital phantom and microscope with known truth."""

from cop_core.simulation.detector import Detector
from cop_core.simulation.microscope import Exposure, Microscope, simulate, simulate_pair
from cop_core.simulation.optics import Optics
from cop_core.simulation.pair import PairFiles, write_pair
from cop_core.simulation.phantom import Phantom
from cop_core.simulation.presets import PRESETS, Preset
from cop_core.simulation.truth import PlaneTruth, Strengths

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
