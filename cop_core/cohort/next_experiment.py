"""What to photograph next, where settings cannot be told apart or explain nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.cohort.variables import Variable
    from cop_core.records import Confounded

_ENOUGH_ROWS: Final = 40
_EACH: Final = 4


def to_part(confounded: Sequence[Confounded], variables: Sequence[Variable]) -> str:
    """Return which pictures would part the two settings that are closest; empty without any."""
    if not confounded:
        return ""
    known = {each.name: each for each in variables}
    first, second = (known[name] for name in (confounded[0].first, confounded[0].second))
    (a_low, a_high), (b_low, b_high) = _ends(first), _ends(second)
    return (
        f"To tell {first.name} from {second.name}, take {_EACH} pictures or more at {first.name} "
        f"{a_low} with {second.name} {b_high}, and as many at {first.name} {a_high} with "
        f"{second.name} {b_low}, with everything else the same"
    )


def to_explain(variables: Sequence[Variable], n_rows: int) -> str:
    """Return which pictures could show what settings do, where none is shown to do anything."""
    if not variables:
        return "Take pictures of one scene with one setting changed at a time"
    names = " and ".join(each.name for each in variables[:2])
    more = f"{max(_ENOUGH_ROWS - n_rows, _EACH)} more pictures"
    return (
        f"Take {more} of one kind of scene, with {names} each at the lowest and the highest value "
        "in every combination"
    )


def _ends(variable: Variable) -> tuple[str, str]:
    known = variable.codes[np.isfinite(variable.codes)]
    if variable.words:
        return variable.words[0], variable.words[-1]
    low, high = np.percentile(known, (5, 95), method="closest_observation")
    return f"{low:.4g}", f"{high:.4g}"
