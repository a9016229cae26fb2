"""Records: what was found, frozen and typed, carried from stage to stage."""

from cop_core.records.analysed import AnalysedProfile
from cop_core.records.arms import ArmsComparison, ArmsDepth, ArmsEffect
from cop_core.records.block_grid import block_side
from cop_core.records.comparison import Comparison, ComponentEffect, Result, TissueMatch
from cop_core.records.detector import (
    Estimate,
    MeasuredDetector,
    ZeroFrom,
)
from cop_core.records.difference import ComponentDifference
from cop_core.records.lines import Band, Bend, Photons, SlopeFit
from cop_core.records.photon_transfer import PhotonTransfer, TransferPoints
from cop_core.records.pixels import PixelFacts, told_of_pixels
from cop_core.records.plane import PlaneEstimate, in_mw
from cop_core.records.plane_columns import PlaneColumn, plane_columns
from cop_core.records.profile import (
    NO_SIGNAL,
    NOT_READ,
    OUTSIDE,
    UNFAMILIAR,
    DepthProfile,
    distinct_names,
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
from cop_core.records.study import (
    Arm,
    ArmPair,
    ChannelComparison,
    StudyRecord,
    StudyStackRecord,
)
from cop_core.records.usable_depth import DepthLimit, UsableDepth, UsableDifference
from cop_core.records.views import PlaneView, StackViews

__all__ = [
    "NOT_READ",
    "NO_SIGNAL",
    "OUTSIDE",
    "UNFAMILIAR",
    "AnalysedProfile",
    "Arm",
    "ArmPair",
    "ArmsComparison",
    "ArmsDepth",
    "ArmsEffect",
    "Band",
    "Bend",
    "ChannelComparison",
    "Comparison",
    "ComponentDifference",
    "ComponentEffect",
    "DepthLimit",
    "DepthProfile",
    "Estimate",
    "FileIdentity",
    "FileState",
    "MeasuredDetector",
    "PhotonTransfer",
    "Photons",
    "PixelFacts",
    "PlaneColumn",
    "PlaneEstimate",
    "PlaneView",
    "Provenance",
    "Result",
    "Role",
    "SlopeFit",
    "StackViews",
    "StoredImage",
    "StudyRecord",
    "StudyStackRecord",
    "TissueMatch",
    "TransferPoints",
    "UsableDepth",
    "UsableDifference",
    "WeightsUsed",
    "ZeroFrom",
    "block_side",
    "distinct_names",
    "in_mw",
    "plane_columns",
    "told_of_pixels",
    "zero_level",
]
