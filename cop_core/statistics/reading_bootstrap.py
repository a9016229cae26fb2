"""How well d and R2 are known: intervals from stacks drawn with the errors of their readings.

Errors make a stack vary more than its expected reading does, which brings the observed d and R2
nearer to 0. The intervals are those of the expected reading, and include the observed value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.records.arrays import UNKNOWN, Interval
from cop_core.records.lines import LEAST_PLANES
from cop_core.statistics.contrast import slope_weights
from cop_core.statistics.significance import t95

if TYPE_CHECKING:
    from cop_core.statistics.plane_errors import PlaneErrors

Array = npt.NDArray[np.float64]

_LEAST_SHARE: Final = 0.1  # of the variance, at least, is not error
_MOST_R: Final = 1 - 1e-12


def interval_of_r2(
    values: Array, errors: PlaneErrors, dof: float, *, samples: int, seed: int
) -> Interval:
    """Return the 95 % interval of R2 of the straight line through expected values.

    The errors' own share of the variance is subtracted, in the sample and in the drawn ones. If
    the correlation with depth may be 0, only the upper limit is informative.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Depth ascending.
    errors : PlaneErrors
        Of their readings.
    dof : float
        Degrees of freedom of the errors, those of the slope; NaN where it has no error.
    samples, seed : int
        Of the bootstrap.
    """
    if len(values) < LEAST_PLANES or not np.isfinite(dof) or not samples:
        return UNKNOWN
    depth, noise = errors.depth_um, errors.spread
    drawn = values + errors.drawn(samples, np.random.default_rng(seed))
    low, high = _interval(
        float(_fisher(depth, values[None], noise)[0]), _fisher(depth, drawn, 2 * noise), dof
    )
    ends = sorted(np.tanh([low, high]) ** 2)
    read = float(np.tanh(_fisher(depth, values[None], 0.0)[0]) ** 2)
    return (0.0 if low < 0 < high else min(float(ends[0]), read)), max(float(ends[1]), read)


def interval_of_d(
    first: Array,
    second: Array,
    errors: tuple[PlaneErrors, PlaneErrors],
    dof: float,
    *,
    samples: int,
    seed: int,
) -> Interval:
    """Return the 95 % interval of Cohen's d of two stacks' expected values.

    The errors' own share of the variance is subtracted, in the sample and in the drawn ones.

    Parameters
    ----------
    first, second : ndarray of shape (n,)
        Values of the planes.
    errors : (PlaneErrors, PlaneErrors)
        Of their readings.
    dof : float
        Degrees of freedom of the errors, those of the mean difference; NaN where it has none.
    samples, seed : int
        Of the bootstrap.
    """
    if len(first) < LEAST_PLANES or not np.isfinite(dof):
        return UNKNOWN
    noise = float(np.mean([each.spread for each in errors]))
    rng = np.random.default_rng(seed)
    one, other = (
        values + each.drawn(samples, rng)
        for values, each in zip((first, second), errors, strict=True)
    )
    found = float(_d(first[None], second[None], noise)[0])
    low, high = _interval(found, _d(one, other, 2 * noise), dof)
    read = float(_d(first[None], second[None], 0.0)[0])
    return min(low, read), max(high, read)


def typical_doubt(uncertainty: npt.ArrayLike) -> float:
    """Return the median of the uncertainties that are stated; 0 where none is."""
    stated = np.asarray(uncertainty, np.float64)
    stated = stated[np.isfinite(stated)]
    return float(np.median(stated)) if len(stated) else 0.0


def _fisher(depth_um: Array, rows: Array, noise: float) -> Array:
    """Return the inverse hyperbolic tangent of each row's correlation with depth."""
    weights = slope_weights(depth_um)
    around = rows - rows.mean(axis=1, keepdims=True)
    norm = np.sqrt(_without_noise(around.var(axis=1, ddof=1), noise) * (rows.shape[1] - 1))
    r = np.zeros(len(rows))
    np.divide(around @ weights / np.linalg.norm(weights), norm, out=r, where=norm > 0)
    return np.asarray(np.arctanh(np.clip(r, -_MOST_R, _MOST_R)))


def _d(first: Array, second: Array, noise: float) -> Array:
    """Return Cohen's d of each pair of rows of (samples, n)."""
    pooled = (first.var(axis=1, ddof=1) + second.var(axis=1, ddof=1)) / 2
    spread = np.sqrt(_without_noise(pooled, noise))
    d = np.full(len(first), np.nan)
    np.divide(first.mean(axis=1) - second.mean(axis=1), spread, out=d, where=spread > 0)
    return d


def _without_noise(variance: Array, noise: float) -> Array:
    return np.asarray(np.maximum(variance - noise, _LEAST_SHARE * variance))


def _interval(found: float, drawn: Array, dof: float) -> Interval:
    half = t95(dof) * float(np.std(drawn))
    return found - half, found + half
