"""Estimation: from planes to noise strengths."""

from cop_core.estimation.estimator import Estimator, load_estimator
from cop_core.estimation.normalise import NORMALISATIONS, Normalisation
from cop_core.estimation.profile import (
    DEFAULT_NORMALISATION,
    Settings,
    estimate_planes,
    profile,
)
from cop_core.estimation.survey import Survey, survey

__all__ = [
    "DEFAULT_NORMALISATION",
    "NORMALISATIONS",
    "Estimator",
    "Normalisation",
    "Settings",
    "Survey",
    "estimate_planes",
    "load_estimator",
    "profile",
    "survey",
]
