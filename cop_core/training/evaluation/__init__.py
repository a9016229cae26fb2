"""Evaluation: accuracy of the network on known noise."""

from cop_core.training.evaluation.domains import draw_strengths, evaluate
from cop_core.training.evaluation.doses import DoseResponse, dose_response
from cop_core.training.evaluation.images import domain_crops, find_images
from cop_core.training.evaluation.mmd import domain_shift, encode, squared_mmd
from cop_core.training.evaluation.paper_domains import PAPER_DOMAINS, PAPER_NUMBERS, paper_domain
from cop_core.training.evaluation.scores import accuracy, dominant_accuracy
from cop_core.training.evaluation.summary import DomainReading, Evaluation

__all__ = [
    "PAPER_DOMAINS",
    "PAPER_NUMBERS",
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
    "find_images",
    "paper_domain",
    "squared_mmd",
]
