"""Which differences are called: beyond both random and systematic reading errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from cop_core.components import CLEAN
from cop_core.records import ArmsEffect, ComponentDifference, ComponentEffect
from cop_core.statistics.effect_size import class_of_d
from cop_core.statistics.significance import holm

if TYPE_CHECKING:
    from cop_core.recipes.comparison import Rule

EffectT = TypeVar("EffectT", bound=ComponentEffect | ArmsEffect)
LEVEL: Final = 0.05
"""p below which something counts as shown."""
UNDETERMINED: Final = "undetermined"
BELOW_LIMIT: Final = "below the reading limit"


def called(effects: Sequence[EffectT], rule: Rule) -> tuple[EffectT, ...]:
    """Return effects with their corrected p, whether each is called, and the class of d.

    A difference is called where its p, corrected after Holm over the noise components, is below
    0.05 and it exceeds its reading limit. Weights that state no uncertainty call nothing.
    """
    (found,) = called_together([effects], rule)
    return found


def called_together(
    pairs: Sequence[Sequence[EffectT]], rule: Rule
) -> tuple[tuple[EffectT, ...], ...]:
    """Return the effects of several pairs of protocols, p corrected over noises and pairs."""
    effects = [effect for pair in pairs for effect in pair]
    slopes = holm([_of_noise(e, e.difference.p_value) for e in effects])
    means = holm([_of_noise(e, e.difference.mean_p_value) for e in effects])
    found = iter(_called(*each, rule) for each in zip(effects, slopes, means, strict=True))
    return tuple(tuple(next(found) for _ in pair) for pair in pairs)


def _of_noise(effect: EffectT, p_value: float) -> float:
    return float("nan") if effect.component == CLEAN else p_value


def _called(effect: EffectT, p_slope: float, p_mean: float, rule: Rule) -> EffectT:
    found = effect.difference
    mean_beyond = abs(found.mean_difference) > found.mean_reading_limit
    beyond = abs(found.slope_difference_per_um) > found.reading_limit_per_um
    noise = effect.component != CLEAN
    difference = replace(
        found,
        p_holm=p_slope,
        mean_p_holm=p_mean,
        called=bool(noise and p_slope < LEVEL and beyond),
        mean_called=bool(noise and p_mean < LEVEL and mean_beyond),
        cohen_d_class=_class_of(found, mean_beyond, rule),
    )
    return replace(effect, difference=difference)


def _class_of(found: ComponentDifference, beyond: bool, rule: Rule) -> str:
    """Return the class of the end of d's interval that is nearer to 0."""
    low, high = found.cohen_d_ci95
    if np.isnan(found.cohen_d):
        return class_of_d(found.cohen_d, rule)
    if rule == "paper":
        return class_of_d(found.cohen_d, rule)
    if np.isfinite(found.mean_reading_limit) and not beyond:
        return BELOW_LIMIT
    if not np.isfinite([low, high]).all() or low < 0 < high:
        return UNDETERMINED
    return class_of_d(min(low, high, key=abs), rule)
