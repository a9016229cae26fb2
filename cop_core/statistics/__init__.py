"""Noise against depth: profiles, lines through them, two protocols compared."""

from cop_core.statistics.arms import ArmsComparison, ArmsEffect, compare_arms
from cop_core.statistics.breaks import BreakFit, break_fits, fit_break
from cop_core.statistics.caveats import exclusions, profile_caveats
from cop_core.statistics.compare import N_BOOTSTRAP, Comparison, ComponentEffect, compare
from cop_core.statistics.component_effect import Choices
from cop_core.statistics.depth_window import Window, within
from cop_core.statistics.effect_size import Rule, cohen_d, hedges_g
from cop_core.statistics.equivalence import equivalence_p
from cop_core.statistics.log_ratios import (
    CLR_FLOOR,
    clr,
    log_ratio_fits,
    log_ratio_slopes,
    sign_changes,
)
from cop_core.statistics.mixed_model import MixedFit, fit_mixed
from cop_core.statistics.photons import Photons, photons_of
from cop_core.statistics.power_cap import cap_depth_um
from cop_core.statistics.profile import (
    NOT_READ,
    DepthProfile,
    PlaneEstimate,
    distinct_names,
    fit_profile,
)
from cop_core.statistics.slope import SlopeFit, fit_slope
from cop_core.statistics.slope_difference import Errors

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
