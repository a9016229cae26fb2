"""Simulations with known truth: a three-photon phantom and microscope, and cohorts."""

from cop_core.simulator.cohort import SimulatedCohort, simulate_cohort, without_causes
from cop_core.simulator.cohort_files import write_cohort
from cop_core.simulator.microscope import Detector, Exposure, Microscope, Optics
from cop_core.simulator.pair import PairFiles, write_pair
from cop_core.simulator.phantom import Phantom
from cop_core.simulator.protocols import PRESETS, Preset, simulate, simulate_pair
from cop_core.simulator.truth import PERCENTILES, PlaneTruth, Strengths

__all__ = [
    "PERCENTILES",
    "PRESETS",
    "Detector",
    "Exposure",
    "Microscope",
    "Optics",
    "PairFiles",
    "Phantom",
    "PlaneTruth",
    "Preset",
    "SimulatedCohort",
    "Strengths",
    "simulate",
    "simulate_cohort",
    "simulate_pair",
    "without_causes",
    "write_cohort",
    "write_pair",
]
