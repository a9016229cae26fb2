"""Power with depth: attenuation, the power to use next, and the limit it never passes.

Acquisition plans live in `cop_core.power.acquisition_plan`, which needs useq-schema.
"""

from cop_core.power.attenuation import Attenuation, TissueLayer, attenuation
from cop_core.power.bright_signal import BrightSignal, bright_signal
from cop_core.power.energy import Energy
from cop_core.power.held_quantity import SIGNAL, HeldQuantity
from cop_core.power.limit import PowerLimit
from cop_core.power.next_acquisition import can_plan, power_csv, require_plans, useq_plan
from cop_core.power.next_power import deepest, lacks_zero_level, next_options, next_recipe
from cop_core.power.recommend import recommend_power, require_recommendable
from cop_core.power.recommendation import Recommendation

__all__ = [
    "SIGNAL",
    "Attenuation",
    "BrightSignal",
    "Energy",
    "HeldQuantity",
    "PowerLimit",
    "Recommendation",
    "TissueLayer",
    "attenuation",
    "bright_signal",
    "can_plan",
    "deepest",
    "lacks_zero_level",
    "next_options",
    "next_recipe",
    "power_csv",
    "recommend_power",
    "require_plans",
    "require_recommendable",
    "useq_plan",
]
