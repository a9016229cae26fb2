"""Noise against depth: slopes, usable depth, two protocols compared, several animals."""

from cop_core.statistics.analysis import analyse, analyse_all
from cop_core.statistics.arms import compare_arms
from cop_core.statistics.bend import find_bend, find_bends
from cop_core.statistics.caveats import exclusions
from cop_core.statistics.compare import compare
from cop_core.statistics.depths import cap_depth_um, limits_um, planes_within, within
from cop_core.statistics.effect_size import cohen_d, hedges_g
from cop_core.statistics.forecast import Forecast, forecast
from cop_core.statistics.log_ratios import CLR_FLOOR, clr, log_ratio_fits, sign_changes
from cop_core.statistics.photons import photons_of
from cop_core.statistics.significance import equivalence_p
from cop_core.statistics.slope import fit_profile, fit_slope
from cop_core.statistics.study import analyse_stack, compare_channels
from cop_core.statistics.verdict_of_stack import verdict_of_growing

__all__ = [
    "CLR_FLOOR",
    "Forecast",
    "analyse",
    "analyse_all",
    "analyse_stack",
    "cap_depth_um",
    "clr",
    "cohen_d",
    "compare",
    "compare_arms",
    "compare_channels",
    "equivalence_p",
    "exclusions",
    "find_bend",
    "find_bends",
    "fit_profile",
    "fit_slope",
    "forecast",
    "hedges_g",
    "limits_um",
    "log_ratio_fits",
    "photons_of",
    "planes_within",
    "sign_changes",
    "verdict_of_growing",
    "within",
]
