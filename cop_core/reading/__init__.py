"""Reading: from planes to noise strengths."""

from cop_core.reading.crops import grid_starts
from cop_core.reading.estimator import Estimator, estimator_for, load_estimator
from cop_core.reading.profile import profile
from cop_core.reading.reader import ReadingStep, StackReader
from cop_core.reading.survey import Survey, survey

__all__ = [
    "Estimator",
    "ReadingStep",
    "StackReader",
    "Survey",
    "estimator_for",
    "grid_starts",
    "load_estimator",
    "profile",
    "survey",
]
