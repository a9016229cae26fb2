"""Evaluation: how well the network reads noise that is known."""

from cop_core.training.evaluation.accuracy import (
    Accuracy,
    DomainReading,
    accuracy,
    draw_strengths,
    evaluate,
    read_domains,
    summary,
)
from cop_core.training.evaluation.dominant import (
    THRESHOLDS,
    DominantAccuracy,
    ThresholdAccuracy,
    dominant_accuracy,
)
from cop_core.training.evaluation.dose import DOSES, DoseResponse, dose_response
from cop_core.training.evaluation.paired import PairedDifference, paired_differences
from cop_core.training.evaluation.pictures import domain_crops, find_pictures, read_picture
from cop_core.training.evaluation.shift import (
    Discrepancy,
    DomainShift,
    domain_shift,
    encode,
    squared_mmd,
)

__all__ = [
    "DOSES",
    "THRESHOLDS",
    "Accuracy",
    "Discrepancy",
    "DomainReading",
    "DomainShift",
    "DominantAccuracy",
    "DoseResponse",
    "PairedDifference",
    "ThresholdAccuracy",
    "accuracy",
    "domain_crops",
    "domain_shift",
    "dominant_accuracy",
    "dose_response",
    "draw_strengths",
    "encode",
    "evaluate",
    "find_pictures",
    "paired_differences",
    "read_domains",
    "read_picture",
    "squared_mmd",
    "summary",
]
