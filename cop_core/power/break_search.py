"""Where lines over depth may bend: the likelihood of every choice of breaks."""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics import autocorrelation

Array = npt.NDArray[np.float64]

_RHO: Final[Array] = np.concatenate([np.arange(0.0, 0.9, 0.1), np.arange(0.9, 0.99, 0.02)])
_CANDIDATES: Final = 40
_SHORTEST: Final = 5  # planes of a layer
_CHI2_95: Final = 3.841


class BreakSearch:
    """-2 log likelihood of every choice of breaks, over a grid of correlations."""

    def __init__(self, depth_um: Array, values: Array) -> None:
        self._n = len(values)
        inner = depth_um[_SHORTEST - 1 : 1 - _SHORTEST]
        count = min(len(inner), _CANDIDATES)
        self.candidates = inner[np.linspace(0, len(inner) - 1, count).round().astype(int)]
        self._step_um = float(np.ptp(depth_um)) / (self._n - 1) * max(len(inner) / max(count, 1), 1)
        self._index = np.searchsorted(depth_um, self.candidates)
        gap = autocorrelation.gaps(depth_um)
        middle, half = depth_um.mean(), np.ptp(depth_um) / 2
        columns = (design_of(depth_um, self.candidates) - [0, middle, *[0] * count]) / half
        columns[:, 0] = 1.0
        rows = np.column_stack([columns, values - values.mean()])
        white = [autocorrelation.whiten(rows, rho, gap) for rho in _RHO]
        self._gram = np.array([w.T @ w for w in white])
        self._log_det = np.array([np.log1p(-(rho ** (2 * gap))).sum() for rho in _RHO])

    def best(self, breaks: int) -> tuple[float, tuple[float, ...]]:
        """Return the least -2 log likelihood for a number of breaks, and where it lies."""
        chosen = self._choices(breaks)
        if not len(chosen):
            return np.inf, ()
        costs = self._costs(chosen)
        best = int(np.argmin(costs))
        return float(costs[best]), tuple(self.candidates[chosen[best]].tolist())

    def intervals(self, breaks: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
        """Return for every break the depths that the likelihood cannot rule out at 95 %."""
        if not breaks:
            return ()
        chosen = self._choices(len(breaks))
        costs = self._costs(chosen)
        likely = self.candidates[chosen[costs - costs.min() <= _CHI2_95]]
        # a border also changes what is labelled, which moves the break by about a plane
        step = self._step_um
        edges = zip(likely.min(axis=0) - step, likely.max(axis=0) + step, strict=True)
        return tuple((float(low), float(high)) for low, high in edges)

    def _choices(self, breaks: int) -> npt.NDArray[np.intp]:
        """Return the candidates to bend at, shape (choices, breaks)."""
        every = list(combinations(range(len(self.candidates)), breaks))
        chosen = np.array(every, dtype=np.intp).reshape(len(every), breaks)
        apart = np.diff(self._index[chosen], axis=1) >= _SHORTEST
        return np.asarray(chosen[apart.all(axis=1)])

    def _costs(self, chosen: npt.NDArray[np.intp]) -> Array:
        """Return the least -2 log likelihood over the correlations, shape (choices,)."""
        fixed = np.tile([0, 1], (len(chosen), 1))
        columns = np.concatenate([fixed, chosen + 2], axis=1)
        gram = self._gram[:, columns[:, :, None], columns[:, None, :]]
        right = self._gram[:, columns, -1][..., None]
        explained = (right * np.linalg.solve(gram, right)).sum(axis=(-2, -1))
        total = self._gram[:, -1, -1][:, None]
        left = np.maximum(total - explained, 1e-12 * total + np.finfo(np.float64).tiny)
        costs = self._log_det[:, None] + self._n * np.log(left / self._n)
        return np.asarray(costs.min(axis=0))


def design_of(depth: Array, breaks: npt.ArrayLike) -> Array:
    """Return columns for the value at 0, the first slope and each change of slope."""
    hinges = np.maximum(depth[:, None] - np.asarray(breaks, np.float64), 0.0)
    return np.column_stack([np.ones_like(depth), depth, hinges])
