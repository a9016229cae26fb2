"""Reading: from planes to noise strengths."""

from cop_core.reading.estimator import Estimator, estimator_for, load_estimator
from cop_core.reading.profile import profile
from cop_core.reading.reader import StackReader
from cop_core.reading.survey import Survey, survey

__all__ = [
    "Estimator",
    "StackReader",
    "Survey",
    "estimator_for",
    "load_estimator",
    "profile",
    "survey",
]
