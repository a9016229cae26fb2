"""Intervals and p values: of one estimate, of several at once, of being small enough.

Student's t is that of scipy.special: scipy.stats takes a second to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAN = float("nan")


def t95(dof: float) -> float:
    """Return the half width in standard errors of a 95 % interval with t-distributed error."""
    return t_needed(dof, 0.05)


def t_needed(dof: float, p_value: float) -> float:
    """Return the distance from 0, in standard errors, that has a two-sided p."""
    return float(scipy.special.stdtrit(dof, 1 - p_value / 2))


def t_interval(value: float, se: float, dof: float) -> tuple[float, float]:
    """Return the 95 % confidence interval of an estimate with a t-distributed error."""
    half = t95(dof) * se
    return value - half, value + half


def t_p_value(value: float, se: float, dof: float) -> float:
    """Return the two-sided p of an estimate against 0; NaN for 0 with no error."""
    if se == 0:
        return 0.0 if value else _NAN
    return float(2 * scipy.special.stdtr(dof, -abs(value / se)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected over those that are defined; NaN where p is NaN.

    `statsmodels.stats.multitest.multipletests` gives the same, but collects garbage at each call,
    which blocks the process for up to 0.4 s.
    """
    found = np.array(p_values, np.float64)
    rising = np.argsort(found)[: np.isfinite(found).sum()]  # NaN last
    times = np.arange(len(rising), 0, -1)
    found[rising] = np.minimum(np.maximum.accumulate(found[rising] * times), 1)
    return [float(p) for p in found]


def equivalence_p(slope: float, se: float, dof: float, margin: float) -> float:
    """Return p of two one-sided tests that a slope lies within plus or minus a margin.

    Parameters
    ----------
    slope, se : float
        Slope and its standard error.
    dof : float
        Degrees of freedom of the error.
    margin : float
        Largest slope that counts as negligible, in the unit of the slope, above 0.

    Returns
    -------
    float
        The larger of the two p values. Below 0.05 the slope is shown to be smaller than the margin
        (the 90 % interval lies inside it). NaN if slope, error or margin is undefined.

    References
    ----------
    .. [1] D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 657 (1987).
    """
    if not np.isfinite([slope, se, margin]).all():
        return float("nan")
    if se == 0:
        return float(abs(slope) >= margin)
    return float(scipy.special.stdtr(dof, (abs(slope) - margin) / se))
