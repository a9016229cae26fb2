"""Records: what was found, frozen and typed, carried from stage to stage."""

from cop_core.records.detector import (
    Estimate,
    MeasuredDetector,
    ZeroFrom,
)
from cop_core.records.effects import (
    AnalysedProfile,
    ArmsComparison,
    ArmsEffect,
    BreakFit,
    Comparison,
    ComponentEffect,
    MixedFit,
    Photons,
    Result,
    SlopeFit,
)
from cop_core.records.photon_transfer import PhotonTransfer, TransferPoints
from cop_core.records.pixels import PixelFacts, told_of_pixels
from cop_core.records.profile import (
    NOT_READ,
    OUTSIDE,
    UNFAMILIAR,
    DepthProfile,
    PlaneEstimate,
    distinct_names,
    in_mw,
)
from cop_core.records.provenance import (
    FileIdentity,
    FileState,
    Provenance,
    Role,
    StoredImage,
    WeightsUsed,
    zero_level,
)
from cop_core.records.study import ChannelComparison, StudyRecord, StudyStackRecord

__all__ = [
    "NOT_READ",
    "OUTSIDE",
    "UNFAMILIAR",
    "AnalysedProfile",
    "ArmsComparison",
    "ArmsEffect",
    "BreakFit",
    "ChannelComparison",
    "Comparison",
    "ComponentEffect",
    "DepthProfile",
    "Estimate",
    "FileIdentity",
    "FileState",
    "MeasuredDetector",
    "MixedFit",
    "PhotonTransfer",
    "Photons",
    "PixelFacts",
    "PlaneEstimate",
    "Provenance",
    "Result",
    "Role",
    "SlopeFit",
    "StoredImage",
    "StudyRecord",
    "StudyStackRecord",
    "TransferPoints",
    "WeightsUsed",
    "ZeroFrom",
    "distinct_names",
    "in_mw",
    "told_of_pixels",
    "zero_level",
]
