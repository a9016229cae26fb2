"""Records: results, frozen and typed, passed from stage to stage."""

from cop_core.records.analysed import AnalysedProfile
from cop_core.records.arms import ArmsComparison, ArmsDepth, ArmsEffect
from cop_core.records.block_grid import block_side
from cop_core.records.cohort import (
    Attribution,
    Coefficient,
    CohortRecord,
    CohortRow,
    Confounded,
    Correlation,
    PictureQuality,
    PictureRecord,
    Share,
    Turn,
)
from cop_core.records.comparison import Comparison, ComponentEffect, Result, TissueMatch
from cop_core.records.detector import (
    Estimate,
    MeasuredDetector,
    ZeroFrom,
)
from cop_core.records.difference import ComponentDifference
from cop_core.records.lines import Band, Bend, Photons, SlopeFit
from cop_core.records.photon_transfer import PhotonTransfer, TransferPoints
from cop_core.records.pixels import PixelFacts, changed_noise, told_of_pixels
from cop_core.records.plane import PlaneEstimate, in_mw, power_text
from cop_core.records.plane_columns import PlaneColumn, plane_columns
from cop_core.records.plane_order import copies, in_turn
from cop_core.records.profile import (
    ITS_STACK,
    NO_SIGNAL,
    NOT_READ,
    OUTSIDE,
    SINGLE_PLANE,
    UNFAMILIAR,
    DepthProfile,
    distinct_names,
    left_out_text,
)
from cop_core.records.provenance import (
    ASSUMED,
    FileIdentity,
    FileState,
    Provenance,
    Role,
    StoredImage,
    WeightsUsed,
    zero_level,
)
from cop_core.records.reading_step import ReadingStep, State
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
    "ASSUMED",
    "ITS_STACK",
    "NOT_READ",
    "NO_SIGNAL",
    "OUTSIDE",
    "SINGLE_PLANE",
    "UNFAMILIAR",
    "AnalysedProfile",
    "Arm",
    "ArmPair",
    "ArmsComparison",
    "ArmsDepth",
    "ArmsEffect",
    "Attribution",
    "Band",
    "Bend",
    "ChannelComparison",
    "Coefficient",
    "CohortRecord",
    "CohortRow",
    "Comparison",
    "ComponentDifference",
    "ComponentEffect",
    "Confounded",
    "Correlation",
    "DepthLimit",
    "DepthProfile",
    "Estimate",
    "FileIdentity",
    "FileState",
    "MeasuredDetector",
    "PhotonTransfer",
    "Photons",
    "PictureQuality",
    "PictureRecord",
    "PixelFacts",
    "PlaneColumn",
    "PlaneEstimate",
    "PlaneView",
    "Provenance",
    "ReadingStep",
    "Result",
    "Role",
    "Share",
    "SlopeFit",
    "StackViews",
    "State",
    "StoredImage",
    "StudyRecord",
    "StudyStackRecord",
    "TissueMatch",
    "TransferPoints",
    "Turn",
    "UsableDepth",
    "UsableDifference",
    "WeightsUsed",
    "ZeroFrom",
    "block_side",
    "changed_noise",
    "copies",
    "distinct_names",
    "in_mw",
    "in_turn",
    "left_out_text",
    "plane_columns",
    "power_text",
    "told_of_pixels",
    "zero_level",
]
