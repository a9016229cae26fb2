"""Evaluation: how well the network reads noise that is known."""

from cop_core.training.evaluation.domains import (
    DomainReading,
    Evaluation,
    domain_crops,
    draw_strengths,
    evaluate,
    find_pictures,
)
from cop_core.training.evaluation.doses import DoseResponse, dose_response
from cop_core.training.evaluation.mmd import domain_shift, encode, squared_mmd
from cop_core.training.evaluation.scores import accuracy, dominant_accuracy

__all__ = [
    "DomainReading",
    "DoseResponse",
    "Evaluation",
    "accuracy",
    "domain_crops",
    "domain_shift",
    "dominant_accuracy",
    "dose_response",
    "draw_strengths",
    "encode",
    "evaluate",
    "find_pictures",
    "squared_mmd",
]
