"""Estimation: from planes to noise strengths."""

from cop_core.reading.crops import grid_starts
from cop_core.reading.estimator import Estimator, load_estimator
from cop_core.reading.normalisation import NORMALISATIONS, Normalisation
from cop_core.reading.profile import profile
from cop_core.reading.reader import Reading, Step
from cop_core.reading.settings import DEFAULT_NORMALISATION, Settings
from cop_core.reading.survey import Survey, survey
from cop_core.statistics.profile import NOT_READ

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
