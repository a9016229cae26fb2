"""Evaluation: how well the network reads noise that is known."""

from cop_core.evaluation.accuracy import Accuracy, accuracy, draw_strengths, evaluate
from cop_core.evaluation.dose import DOSES, DoseResponse, dose_response
from cop_core.evaluation.pictures import domain_crops, find_pictures, read_picture

__all__ = [
    "DOSES",
    "Accuracy",
    "DoseResponse",
    "accuracy",
    "domain_crops",
    "dose_response",
    "draw_strengths",
    "evaluate",
    "find_pictures",
    "read_picture",
]
