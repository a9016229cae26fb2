"""Estimation: from planes to noise strengths."""

from cop_core.depth.profile import NOT_READ
from cop_core.estimation.crops import grid_starts
from cop_core.estimation.estimator import Estimator, load_estimator
from cop_core.estimation.normalise import NORMALISATIONS, Normalisation
from cop_core.estimation.profile import profile
from cop_core.estimation.reading import Reading, Step
from cop_core.estimation.settings import DEFAULT_NORMALISATION, Settings
from cop_core.estimation.survey import Survey, survey

__all__ = [
    "DEFAULT_NORMALISATION",
    "NORMALISATIONS",
    "NOT_READ",
    "Estimator",
    "Normalisation",
    "Reading",
    "Settings",
    "Step",
    "Survey",
    "grid_starts",
    "load_estimator",
    "profile",
    "survey",
]
