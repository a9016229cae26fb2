"""Sizes of effects between two protocols, and their classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.records.arrays import UNKNOWN, Interval

if TYPE_CHECKING:
    from cop_core.recipes.comparison import Rule

Array = npt.NDArray[np.float64]

D_CLASSES: Final = ((0.2, "small"), (0.5, "medium"), (0.8, "large"))
"""Cohen's conventions for d."""
F2_CLASSES: Final = ((0.02, "small"), (0.15, "medium"), (0.35, "large"))
"""Cohen's conventions for f2."""
F2_SUFFIX: Final = " (f2 convention)"
"""Marks a class of d that is named by the limits for f2."""
D_CLASSES_PAPER: Final = ((0.2, "small"), (0.35, f"large{F2_SUFFIX}"))
"""What arXiv:2601.17047 calls large: d of 0.35, which is the convention for f2."""


def classify(size: float, classes: tuple[tuple[float, str], ...]) -> str:
    """Return the name of the class into which the absolute size falls.

    Parameters
    ----------
    size : float
        An effect size; NaN gives ``"undefined"``.
    classes : tuple of (float, str)
        Lower limits, ascending, with their names; below the first is ``"negligible"``.
    """
    if np.isnan(size):
        return "undefined"
    return next((name for limit, name in reversed(classes) if abs(size) >= limit), "negligible")


def class_of_d(d: float, rule: Rule) -> str:
    """Return the class of Cohen's d by a comparison's rule."""
    return classify(d, D_CLASSES_PAPER if rule == "paper" else D_CLASSES)


def cohen_d(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return Cohen's d, the difference of means (first minus second) over the pooled SD.

    Parameters
    ----------
    first, second : array_like of shape (n,), (m,)
        Values of the two groups; NaN values are left out.

    Returns
    -------
    float
        NaN for fewer than two values in a group, or if neither group varies.

    References
    ----------
    .. [1] J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed. (1988).
    """
    a, b = (np.asarray(x, np.float64)[None] for x in (first, second))
    return float(d_rows(a, b)[0])


def hedges_g(d: float, n_first: int, n_second: int) -> float:
    """Return Hedges' g, Cohen's d without its small-sample bias.

    Parameters
    ----------
    d : float
        Cohen's d.
    n_first, n_second : int
        Sizes of the two groups.

    References
    ----------
    .. [1] L. V. Hedges, J. Educ. Stat. 6, 107 (1981), the exact correction.
    """
    dof = n_first + n_second - 2
    if dof < 2:
        return float("nan")
    return float(
        d
        * np.exp(scipy.special.gammaln(dof / 2) - scipy.special.gammaln((dof - 1) / 2))
        / np.sqrt(dof / 2)
    )


def independent_interval_of_d(d: float, n_first: int, n_second: int) -> Interval:
    """Return the exact 95 % interval of Cohen's d for independent values.

    Parameters
    ----------
    d : float
        Cohen's d.
    n_first, n_second : int
        Sizes of the two groups.

    References
    ----------
    .. [1] J. H. Steiger, "Beyond the F test", Psychol. Methods 9, 164 (2004): the noncentral
       t distributions of which the observed t is the 2.5 and the 97.5 % point.
    """
    dof = n_first + n_second - 2
    if np.isnan(d) or dof < 1:
        return UNKNOWN
    root = float(np.sqrt(1 / n_first + 1 / n_second))
    low, high = scipy.special.nctdtrinc(dof, [0.975, 0.025], d / root)
    return root * float(low), root * float(high)


def d_rows(first: Array, second: Array) -> Array:
    """Return Cohen's d of each pair of rows of (samples, n) and (samples, m), NaN left out."""
    (n1, mean1, ss1), (n2, mean2, ss2) = _moments(first), _moments(second)
    dof = n1 + n2 - 2
    pooled = np.sqrt((ss1 + ss2) / np.maximum(dof, 1))
    spread = pooled > 1e-12 * np.maximum(np.abs(mean1), np.abs(mean2))
    usable = (n1 > 1) & (n2 > 1) & spread
    d = np.full(len(first), np.nan)
    np.divide(mean1 - mean2, pooled, out=d, where=usable)
    return d


def _moments(rows: Array) -> tuple[Array, Array, Array]:
    """Return count, mean and sum of squared deviations of each row's finite values."""
    there = np.isfinite(rows)
    n = there.sum(axis=1)
    mean = np.where(there, rows, 0.0).sum(axis=1) / np.maximum(n, 1)
    return n, mean, (np.where(there, rows - mean[:, None], 0.0) ** 2).sum(axis=1)
