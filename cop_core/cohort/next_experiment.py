"""The images to take next, if settings cannot be told apart or explain nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.cohort.surrogate import LEAST_GROUPS, LEAST_ROWS, Floats
from cop_core.cohort.table import sizes
from cop_core.cohort.variables import ranks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.cohort.variables import Variable
    from cop_core.records import CohortRecord, CohortRow, Confounded

_ENOUGH_ROWS: Final = 40
_EACH: Final = 4


def next_experiment_of(found: CohortRecord, variables: Sequence[Variable]) -> str:
    """Return the images to take next; empty if settings explain a noise and can be told apart.

    Obstacles to any attribution come first.
    """
    unexplained = bool(found.attributions) and not any(each.drawn for each in found.attributions)
    n_rows, n_groups = len(found.rows), len(sizes(found.rows))
    few = n_rows < LEAST_ROWS or n_groups < LEAST_GROUPS
    parted = "" if unexplained and few else to_part(found.confounded, variables)
    return parted or (to_explain(variables, found.rows, found.recipe.group) if unexplained else "")


def to_part(confounded: Sequence[Confounded], variables: Sequence[Variable]) -> str:
    """Return the images that would separate the two closest settings; empty without any."""
    if not confounded:
        return ""
    known = {each.name: each for each in variables}
    first, second = (known[name] for name in (confounded[0].first, confounded[0].second))
    along = min(first, second, key=lambda each: len(each.words)).codes  # of numbers, if any
    (a_low, a_high), (b_low, b_high) = _ends(first, along), _ends(second, along)
    return (
        f"To tell {first.name} from {second.name}, take {_EACH} images or more at {first.name} "
        f"{a_low} with {second.name} {b_high}, and as many at {first.name} {a_high} with "
        f"{second.name} {b_low}, with everything else the same"
    )


def to_explain(
    variables: Sequence[Variable], rows: Sequence[CohortRow], group: str | None = None
) -> str:
    """Return the images that could show an effect of settings, if none is shown.

    Parameters
    ----------
    group : str, optional
        Setting that defines the groups; by default each image added is one.
    """
    if not variables:
        return "Take images of one scene with one setting changed at a time"
    names = " and ".join(each.name for each in variables[:2])
    n_lacking = LEAST_GROUPS - len(sizes(rows)) if group else 0
    n_more = max(_ENOUGH_ROWS - len(rows), _EACH, _EACH * n_lacking)
    of = f"{n_lacking} more groups (values of {group})" if n_lacking > 0 else "one kind of scene"
    return (
        f"Take {n_more} more images of {of}, with {names} each at the lowest and the highest "
        "value in every combination"
    )


def _ends(variable: Variable, along: Floats) -> tuple[str, str]:
    """Return the values of a setting at the low and the high end of another, or of itself."""
    both = np.isfinite(variable.codes) & np.isfinite(along)
    codes, ranks = variable.codes[both], ranks_of(along[both])
    if variable.words:
        known = np.unique(codes).astype(int)
        low, *_, high = sorted(known, key=lambda code: ranks[codes == code].mean())
        return variable.words[low], variable.words[high]
    low, high = np.percentile(codes, (5, 95), method="closest_observation")
    if np.corrcoef(ranks_of(codes), ranks)[0, 1] < 0:
        low, high = high, low
    return f"{low:.4g}", f"{high:.4g}"
