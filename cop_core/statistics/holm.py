"""Several components are tested at once: Holm's correction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cop_core.components import CLEAN

if TYPE_CHECKING:
    from collections.abc import Mapping


_NAN = float("nan")


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p corrected over the noise components that have one.

    Parameters
    ----------
    p_values : mapping of str to float
        By component; clean is no noise and stays out.

    Returns
    -------
    dict of str to float
        By component, in the same order; NaN for clean and where p is NaN.
    """
    from statsmodels.stats.multitest import multipletests

    found = dict.fromkeys(p_values, _NAN)
    tested = [c for c, p in p_values.items() if c != CLEAN and np.isfinite(p)]
    if tested:
        corrected = multipletests([p_values[c] for c in tested], method="holm")[1]
        found |= {c: float(p) for c, p in zip(tested, corrected, strict=True)}
    return found
