"""The layers of a tissue: straight pieces of the log of a signal over depth.

Residuals, from the changing density of structure, are taken around the pieces and not around a
smooth curve, because slow changes of the tissue bias an attenuation length, and its interval must
allow for them.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.piecewise import (
    BreakSearch,
    Intervals,
    PiecewiseFit,
    fit_pieces,
    line_design,
)

Array = npt.NDArray[np.float64]
Choices = npt.NDArray[np.intp]

# in log n, for each break. Straight AR(1) planes get a break in 1 % of cases or less, but in 8 %
# for 20 planes with a correlation of 0.8 or more (100 stacks of 20, 40 and 100 planes each).
_PENALTY: Final = 5.0
_RATIO: Final = 1.3  # of the slopes at a break; white to grey matter has about 2
_STEPS: Final = 5
_RHO: Final[Array] = np.concatenate([np.arange(0.0, 0.9, 0.1), np.arange(0.9, 0.99, 0.02)])
_CANDIDATES: Final = 40
_SHORTEST: Final = 5  # depths of a layer
_CHI2_95: Final = 3.841
_ROUNDING: Final = 1e-12  # of the squares: residuals below are rounding errors


def fit_layers(depth_um: Array, values: Array, *, most_breaks: int) -> PiecewiseFit:
    """Fit a line, or joined pieces where they lower the information criterion enough.

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending, at least `autocorrelation.MIN_PLANES` of them.
    most_breaks : int
        Breaks to look for; 0 for a single line.

    Returns
    -------
    PiecewiseFit
        With the number of breaks of least ``-2 log likelihood + 5 log(n) breaks``, among those
        whose slopes change by a factor of 1.3 or more at every break: a smaller change cannot be
        distinguished from one of labelling.
    """
    n, depths_um = len(values), np.unique(depth_um)
    inner = depths_um[_SHORTEST - 1 : 1 - _SHORTEST]
    count = min(len(inner), _CANDIDATES)
    candidates = inner[np.linspace(0, len(inner) - 1, count).round().astype(int)]
    search = BreakSearch(depth_um, values, candidates, _RHO)
    # a border also changes what is labelled, which moves the break by about a plane
    margin_um = float(np.ptp(depth_um)) / (n - 1) * max(len(inner) / max(count, 1), 1)
    place = np.searchsorted(depths_um, candidates)
    best, lowest = fit_pieces(depth_um, values), _deviance(search, _choices(place, 0), n).min()
    for breaks in range(1, most_breaks + 1):
        choices = _choices(place, breaks)
        if not len(choices):
            break
        deviance = _deviance(search, choices, n)
        cost = deviance.min() + _PENALTY * np.log(n) * breaks
        if cost < lowest:
            likely = deviance - deviance.min() <= _CHI2_95
            intervals = search.interval_um(choices, likely, margin_um=margin_um)
            start = candidates[choices[deviance.argmin()]]
            refined = _refined(depth_um, values, start, intervals)
            fit = fit_pieces(depth_um, values, refined, intervals)
            if _distinct(fit.slopes_per_um):
                best, lowest = fit, cost
    return best


def _choices(place: Choices, breaks: int) -> Choices:
    """Return the candidate breaks without too short layers, shape (choices, breaks)."""
    every = list(combinations(range(len(place)), breaks))
    chosen = np.array(every, dtype=np.intp).reshape(len(every), breaks)
    apart = np.diff(place[chosen], axis=1) >= _SHORTEST
    return np.asarray(chosen[apart.all(axis=1)])


def _deviance(search: BreakSearch, choices: Choices, n: int) -> Array:
    """Return the least -2 log likelihood over the correlations, shape (choices,)."""
    rounding = _ROUNDING * search.spread + np.finfo(np.float64).tiny
    left = np.maximum(search.left(choices), rounding[:, None])
    return np.asarray((search.log_det[:, None] + n * np.log(left / n)).min(axis=0))


def _refined(
    depth_um: Array, values: Array, start_um: Array, intervals: Intervals
) -> tuple[float, ...]:
    """Refine breaks between planes to the best fit within their intervals [1]_.

    References
    ----------
    .. [1] V. M. R. Muggeo, "Estimating regression models with unknown break-points",
       Statistics in Medicine 22:3055 (2003).
    """
    breaks, (low, high) = start_um, np.array(intervals).T
    for _ in range(_STEPS):
        steps = -(depth_um[:, None] > breaks).astype(np.float64)
        design = np.hstack([line_design(depth_um, breaks), steps])
        found = np.linalg.lstsq(design, values, rcond=None)[0]
        changes, moves = np.split(found[2:], 2)
        breaks = np.clip(breaks + moves / np.where(changes, changes, 1.0), low, high)
    return tuple(breaks.tolist())


def _distinct(slopes: Array) -> bool:
    """Return whether neighbouring slopes differ clearly, or in sign."""
    ratio = slopes[1:] / slopes[:-1]
    return bool(((ratio <= 1 / _RATIO) | (ratio >= _RATIO)).all())
