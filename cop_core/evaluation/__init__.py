"""Evaluation: how well the network reads noise that is known."""

from cop_core.evaluation.accuracy import Accuracy, accuracy, draw_strengths, evaluate
from cop_core.evaluation.pictures import domain_crops, find_pictures, read_picture

__all__ = [
    "Accuracy",
    "accuracy",
    "domain_crops",
    "draw_strengths",
    "evaluate",
    "find_pictures",
    "read_picture",
]
