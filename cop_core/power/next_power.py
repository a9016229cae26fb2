"""The recommendation that follows from a comparison: its stack and power limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.recipes import MW, PowerOptions, RecipeError, RecommendRecipe
from cop_core.statistics.verdict_powers import most_used

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.recipes import CompareRecipe
    from cop_core.records import Comparison, UsableDepth

_SHOT: Final = "poisson"


def next_recipe(found: Comparison, recipe: CompareRecipe) -> RecommendRecipe | None:
    """Return the recipe for the power that the verdict speaks of; None if there can be none.

    It comes from the stack with signal deepest down.
    """
    power, number = next_options(found), deepest(found.usable)
    if power is None:
        return None
    return RecommendRecipe(stack=recipe.stacks[number], reading=recipe.reading, power=power)


def next_options(found: Comparison) -> PowerOptions | None:
    """Return the options for that power; None if there can be none.

    Shot noise is held at the level of the comparison, within the highest power used.
    """
    used = most_used([each.profile for each in found.analysed])
    weights = found.analysed[deepest(found.usable)].profile.weights
    if used is None or weights is None or not weights.physical:
        return None
    limit: dict[str, Any] = {"max_power_mw" if used[1] == MW else "max_power": used[0]}
    try:
        return PowerOptions(hold=_SHOT, level=found.options.level, **limit)
    except RecipeError:  # a level that cannot be held, or more power than a limit may be
        return None


def lacks_zero_level(found: Comparison) -> bool:
    """Whether the detector's zero level is needed: unknown, and light reaches every plane."""
    number = deepest(found.usable)
    lost = np.isfinite(found.usable[number].signal.depth_um)
    return found.analysed[number].profile.offset_counts is None and not lost


def deepest(usable: Sequence[UsableDepth]) -> int:
    """Return the number of the stack with the deepest signal, which is the most informative."""
    signals = (of.signal for of in usable)
    ends = [np.nan_to_num([s.depth_um, s.deeper_than_um]).max() for s in signals]
    return int(np.argmax(ends))
