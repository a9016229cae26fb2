"""Noise against depth: profiles, lines through them, two protocols compared."""

from cop_core.depth.arms import ArmsComparison, ArmsEffect, compare_arms
from cop_core.depth.cap import cap_depth_um
from cop_core.depth.caveats import exclusions, profile_caveats
from cop_core.depth.closure import CLR_FLOOR, clr, log_ratio_fits, log_ratio_slopes, sign_changes
from cop_core.depth.compare import N_BOOTSTRAP, Comparison, ComponentEffect, compare
from cop_core.depth.component import Choices
from cop_core.depth.difference import Errors
from cop_core.depth.effects import Rule, cohen_d, hedges_g
from cop_core.depth.equivalence import equivalence_p
from cop_core.depth.mixed import MixedFit, fit_mixed
from cop_core.depth.photons import Photons, photons_of
from cop_core.depth.profile import (
    NOT_READ,
    DepthProfile,
    PlaneEstimate,
    distinct_names,
    fit_profile,
)
from cop_core.depth.segmented import BreakFit, break_fits, fit_break
from cop_core.depth.slope import SlopeFit, fit_slope
from cop_core.depth.window import Window, within

__all__ = [
    "CLR_FLOOR",
    "NOT_READ",
    "N_BOOTSTRAP",
    "ArmsComparison",
    "ArmsEffect",
    "BreakFit",
    "Choices",
    "Comparison",
    "ComponentEffect",
    "DepthProfile",
    "Errors",
    "MixedFit",
    "Photons",
    "PlaneEstimate",
    "Rule",
    "SlopeFit",
    "Window",
    "break_fits",
    "cap_depth_um",
    "clr",
    "cohen_d",
    "compare",
    "compare_arms",
    "distinct_names",
    "equivalence_p",
    "exclusions",
    "fit_break",
    "fit_mixed",
    "fit_profile",
    "fit_slope",
    "hedges_g",
    "log_ratio_fits",
    "log_ratio_slopes",
    "photons_of",
    "profile_caveats",
    "sign_changes",
    "within",
]
