"""A gradient-boosted surrogate: from the settings of an image to the strength of a noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cop_core.cohort.variables import Variable

FOLDS: Final = 5
LEAST_GROUPS: Final = 5
LEAST_ROWS: Final = 12
_TREES: Final = 15
_RATE: Final = 0.3
_LEAVES: Final = 6
_BACKGROUND: Final = 60
"""Rows over which the other settings are averaged for SHAP values."""

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Design:
    """Settings as the surrogate sees them.

    Attributes
    ----------
    factors : tuple of tuple of Variable
        Settings, in sets that cannot be separated.
    groups : ndarray of shape (rows,)
        Rows with one number are held out together.
    """

    factors: tuple[tuple[Variable, ...], ...]
    groups: npt.NDArray[np.int64]

    @classmethod
    def of(cls, factors: Sequence[Sequence[Variable]], groups: Sequence[str]) -> Design:
        """Return the design of rows with named groups."""
        _, members = np.unique(np.array(groups), return_inverse=True)
        return cls(tuple(map(tuple, factors)), members.astype(np.int64))

    @cached_property
    def columns(self) -> tuple[tuple[int, str, Floats], ...]:
        """Number of the factor, name of the setting and numbers of every column."""
        return tuple(
            (number, each.name, values)
            for number, factor in enumerate(self.factors)
            for each in factor
            for _, values in each.columns()
        )

    @cached_property
    def matrix(self) -> Floats:
        """Shape (rows, columns)."""
        return np.column_stack([values for _, _, values in self.columns])

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.groups.max()) + 1

    def by_factor(self, values: Floats) -> Floats:
        """Add up the columns of each factor; shape (rows, factors)."""
        members = np.array([number for number, _, _ in self.columns])
        sums = [values[:, members == i].sum(axis=1) for i in range(len(self.factors))]
        return np.column_stack(sums)

    def resampled(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return rows of groups drawn with replacement."""
        drawn = rng.integers(self.n_groups, size=self.n_groups)
        return np.concatenate([np.flatnonzero(self.groups == group) for group in drawn])

    def permuted(self, strengths: Floats, rng: np.random.Generator) -> Floats:
        """Return strengths (rows, noises) permuted as if no setting had an effect.

        Group means are permuted between groups and residuals between rows, with all noises
        together.
        """
        n = np.bincount(self.groups)
        means = np.stack([np.bincount(self.groups, y) / n for y in strengths.T], axis=1)
        rest = strengths - means[self.groups]
        order = np.lexsort((rng.random(len(rest)), self.groups))
        place = np.argsort(self.groups, kind="stable")
        moved = np.empty_like(rest)
        moved[place] = rest[order]
        return np.asarray(means[rng.permutation(len(means))][self.groups] + moved)

    @cached_property
    def folds(self) -> tuple[npt.NDArray[np.bool_], ...]:
        """Rows to predict from all others, fold by fold; groups stay whole."""
        from sklearn.model_selection import GroupKFold

        split = GroupKFold(min(FOLDS, self.n_groups), shuffle=True, random_state=0)
        found = []
        for _, held_out in split.split(self.matrix, groups=self.groups):
            mask = np.zeros(len(self.groups), bool)
            mask[held_out] = True
            found.append(mask)
        return tuple(found)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep fits to one thread.

    They take milliseconds: threads that wait for each other cost more than they save, and ten
    times as much on a busy machine.
    """
    import sklearn.ensemble  # noqa: F401  whose threads are those to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        yield


def fit(design: Design, y: Floats, rows: Any = slice(None), monotonic: Any = None) -> Any:
    """Fit the surrogate to some rows.

    Parameters
    ----------
    y : ndarray of shape (rows,)
        Strengths of all rows.
    monotonic : sequence of int, optional
        For each column, 1 if the strength can only rise with it, -1 if it can only fall.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    x, target = design.matrix[rows], y[rows]
    model = HistGradientBoostingRegressor(
        max_iter=_TREES,
        learning_rate=_RATE,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=max(3, min(20, len(target) // 20)),
        monotonic_cst=monotonic,
        early_stopping=False,
        random_state=0,
    )
    return model.fit(x, target)


def out_of_sample_r2(design: Design, y: Floats, tick: Callable[[], None]) -> float:
    """Return the share of variance predicted in rows whose groups the surrogate has not seen.

    The baseline is the mean of the rows it has seen, so the share may be negative.
    """
    wrong = usual = 0.0
    for held_out in design.folds:
        model = fit(design, y, ~held_out)
        wrong += float(((y[held_out] - model.predict(design.matrix[held_out])) ** 2).sum())
        usual += float(((y[held_out] - y[~held_out].mean()) ** 2).sum())
        tick()
    return 1 - wrong / usual if usual else 0.0


def shap_values(design: Design, model: Any, rows: npt.NDArray[np.int64]) -> Floats:
    """Return SHAP values of rows, shape (rows, factors), exact over up to 60 of all rows.

    References
    ----------
    .. [1] S. M. Lundberg et al., Nat. Mach. Intell. 2, 56 (2020).
    """
    import shap

    n = len(design.matrix)
    background = np.unique(np.linspace(0, n - 1, min(n, _BACKGROUND)).round().astype(int))
    explainer = shap.TreeExplainer(
        model, design.matrix[background], feature_perturbation="interventional"
    )
    return design.by_factor(explainer.shap_values(design.matrix[rows], check_additivity=False))
