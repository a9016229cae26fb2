"""Which differences are called: sure where readings err at random, and beyond where they lean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from cop_core.components import CLEAN
from cop_core.records import ArmsEffect, ComponentEffect
from cop_core.statistics.effect_size import class_of_d
from cop_core.statistics.significance import holm

if TYPE_CHECKING:
    from cop_core.recipes.comparison import Rule

EffectT = TypeVar("EffectT", ComponentEffect, ArmsEffect)
LEVEL: Final = 0.05
UNDETERMINED: Final = "undetermined"
BELOW_LIMIT: Final = "below the reading limit"


def called(effects: Sequence[EffectT], rule: Rule) -> tuple[EffectT, ...]:
    """Return effects with their corrected p, what they call, and the class of d.

    A difference is called where its p, corrected after Holm over the noise components, is below
    0.05 and it exceeds its reading limit. Weights that state no uncertainty call nothing.
    """
    slopes = holm({e.component: e.p_value for e in effects})
    means = holm({e.component: e.mean_p_value for e in effects})
    return tuple(_called(e, slopes[e.component], means[e.component], rule) for e in effects)


def _called(effect: EffectT, p_slope: float, p_mean: float, rule: Rule) -> EffectT:
    mean_beyond = abs(effect.mean_difference) > effect.mean_reading_limit
    beyond = abs(effect.slope_difference_per_um) > effect.reading_limit_per_um
    noise = effect.component != CLEAN
    return replace(
        effect,
        p_holm=p_slope,
        mean_p_holm=p_mean,
        called=bool(noise and p_slope < LEVEL and beyond),
        mean_called=bool(noise and p_mean < LEVEL and mean_beyond),
        cohen_d_class=_class_of(effect, mean_beyond, rule),
    )


def _class_of(effect: EffectT, beyond: bool, rule: Rule) -> str:
    """Return the class of the end of d's interval that is nearer to 0."""
    low, high = effect.cohen_d_ci95
    if np.isnan(effect.cohen_d):
        return class_of_d(effect.cohen_d, rule)
    if rule == "paper":
        return class_of_d(effect.cohen_d, rule)
    if np.isfinite(effect.mean_reading_limit) and not beyond:
        return BELOW_LIMIT
    if not np.isfinite([low, high]).all() or low < 0 < high:
        return UNDETERMINED
    return class_of_d(min(low, high, key=abs), rule)
