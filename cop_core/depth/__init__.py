"""Noise against depth: profiles, lines through them, two protocols compared."""

from cop_core.depth.caveats import exclusions, profile_caveats
from cop_core.depth.closure import CLR_FLOOR, clr, log_ratio_fits, log_ratio_slopes, sign_changes
from cop_core.depth.compare import N_BOOTSTRAP, Comparison, ComponentEffect, compare
from cop_core.depth.effects import Rule, cohen_d, hedges_g
from cop_core.depth.profile import (
    NOT_READ,
    DepthProfile,
    PlaneEstimate,
    distinct_names,
    fit_profile,
)
from cop_core.depth.slope import SlopeFit, fit_slope

__all__ = [
    "CLR_FLOOR",
    "NOT_READ",
    "N_BOOTSTRAP",
    "Comparison",
    "ComponentEffect",
    "DepthProfile",
    "PlaneEstimate",
    "Rule",
    "SlopeFit",
    "clr",
    "cohen_d",
    "compare",
    "distinct_names",
    "exclusions",
    "fit_profile",
    "fit_slope",
    "hedges_g",
    "log_ratio_fits",
    "log_ratio_slopes",
    "profile_caveats",
    "sign_changes",
]
