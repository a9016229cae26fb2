"""Sizes of effects between two protocols, and their classes."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Array = npt.NDArray[np.float64]
Rule = Literal["default", "paper"]

D_CLASSES: Final = ((0.2, "small"), (0.5, "medium"), (0.8, "large"))
"""Cohen's conventions for d."""
F2_CLASSES: Final = ((0.02, "small"), (0.15, "medium"), (0.35, "large"))
"""Cohen's conventions for f2."""
F2_SUFFIX: Final = " (f2 convention)"
"""Marks a class of d that is named by the limits for f2."""
D_CLASSES_PAPER: Final = ((0.2, "small"), (0.35, f"large{F2_SUFFIX}"))
"""What arXiv:2601.17047 calls large: d of 0.35, which is the convention for f2."""

_CHUNK = 250  # bootstrap samples held at once, to keep memory flat


def classify(size: float, classes: tuple[tuple[float, str], ...]) -> str:
    """Return the name of the class that the absolute size falls in.

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


def cohen_d(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return Cohen's d, the difference of means (first minus second) over the pooled SD.

    Parameters
    ----------
    first, second : array_like of shape (n,), (m,)
        Values of the two groups; NaN values are left out.

    Returns
    -------
    float
        NaN for fewer than two values in a group, or where neither group varies.

    References
    ----------
    .. [1] J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed. (1988).
    """
    a, b = (np.asarray(x, np.float64)[None] for x in (first, second))
    return float(_d_rows(a, b)[0])


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
    return float(d * np.exp(gammaln(dof / 2) - gammaln((dof - 1) / 2)) / np.sqrt(dof / 2))


def block_length(rho: float, n: int) -> int:
    """Return the length of bootstrap blocks, in planes, for a correlation of neighbours.

    Parameters
    ----------
    rho : float
        Correlation of neighbouring planes; NaN counts as 0.
    n : int
        Number of planes.

    Returns
    -------
    int
        From 1 to a third of the planes.

    References
    ----------
    .. [1] E. Carlstein, Ann. Stat. 14, 1171 (1986), the optimum for the mean of an AR(1)
       process, ``(sqrt(6) rho / (1 - rho^2)) ^ (2/3) n ^ (1/3)``.
    """
    rho = 0.0 if np.isnan(rho) else rho
    best = (np.sqrt(6.0) * rho / (1 - rho**2)) ** (2 / 3) * n ** (1 / 3)
    return int(np.clip(np.ceil(best), 1, max(n // 3, 1)))


def bootstrap_d(
    first: Array, second: Array, *, block: int, paired: bool, n_samples: int, seed: int
) -> tuple[float, float]:
    """Return the 95 % interval of Cohen's d from a bootstrap over blocks of planes.

    Parameters
    ----------
    first, second : ndarray of shape (n,), (m,)
        Plane means ordered by depth, NaN where a plane is excluded.
    block : int
        Length of a moving block, in planes.
    paired : bool
        Draw the same planes from both, for stacks that share their depths (n equals m).
    n_samples : int
        Bootstrap samples.
    seed : int
        Seed of the draws.

    Returns
    -------
    (float, float)
        2.5 and 97.5 % quantiles, NaN where d is undefined.
    """
    if np.isnan(cohen_d(first, second)):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, n_samples, _CHUNK):
        count = min(_CHUNK, n_samples - start)
        rows = _block_indices(rng, count, len(first), block)
        others = rows if paired else _block_indices(rng, count, len(second), block)
        found.append(_d_rows(first[rows], second[others]))
    samples = np.concatenate(found)
    samples = samples[np.isfinite(samples)]
    if not len(samples):
        return float("nan"), float("nan")
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)


def _block_indices(
    rng: np.random.Generator, count: int, n: int, block: int
) -> npt.NDArray[np.int64]:
    """Return ``count`` rows of n indices made of runs of neighbours."""
    block = min(block, n)
    starts = rng.integers(0, n - block + 1, size=(count, -(-n // block)))
    return np.asarray((starts[:, :, None] + np.arange(block)).reshape(count, -1)[:, :n])


def _d_rows(first: Array, second: Array) -> Array:
    """Return Cohen's d of each pair of rows, NaN values left out."""
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
