"""Domain shift: distances between the network's features of different kinds of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy
import torch

from cop_core.errors import InputError
from cop_core.reading.estimator import DEFAULT_BATCH, Estimator

Values = npt.NDArray[np.float64]

PERMUTATIONS: Final = 999
"""Default number of permutations: p values in steps of 0.001."""


@dataclass(frozen=True)
class Discrepancy:
    """Squared maximum mean discrepancy (MMD) of two sets of features.

    Attributes
    ----------
    squared_mmd : float
        Unbiased estimate, without unit; may be below 0 by chance if the distributions are equal.
    p_value : float
        One-sided p of the permutation test that both sets come from one distribution.
    bandwidth : float
        Bandwidth of the kernel: a distance between features of length 1.
    """

    squared_mmd: float
    p_value: float
    bandwidth: float


@dataclass(frozen=True)
class DomainShift:
    """Discrepancies of all pairs of domains, by the names of the two."""

    pairs: dict[tuple[str, str], Discrepancy]

    @property
    def mean(self) -> float:
        """Mean of the squared MMD over pairs."""
        return float(np.mean([found.squared_mmd for found in self.pairs.values()]))

    def to_dict(self) -> dict[str, object]:
        """Return the figures as JSON types."""
        return {
            "mean_squared_mmd": self.mean,
            "pairs": [{"domains": list(names), **asdict(d)} for names, d in self.pairs.items()],
        }


def encode(
    estimator: Estimator, crops: npt.ArrayLike, *, batch_size: int = DEFAULT_BATCH
) -> Values:
    """Return the features from which an estimator's head reads the strengths.

    Parameters
    ----------
    estimator : Estimator
    crops : array of shape (n, 192, 192)
        Grey crops in [0, 1].
    batch_size : int
        Crops at a time.

    Returns
    -------
    ndarray of shape (n, width)
        Features of the class token, without unit.

    Raises
    ------
    InputError
        If the shape does not fit, values are not finite or outside [0, 1], or `batch_size` is
        less than 1.
    """
    if batch_size < 1:
        raise InputError(f"{batch_size} crops per batch", advice="Use 1 or more")
    x = estimator.as_input(crops)
    if x.shape[1] != 1:
        raise InputError("crops have the shape of colour crops", advice="Use grey ones, (n, h, w)")
    network = estimator.network.to(estimator.device)
    low = estimator.precision != torch.float32
    features = [torch.empty(0, network.config.width)]
    for start in range(0, len(x), batch_size):
        with (
            torch.inference_mode(),
            torch.autocast(estimator.device.type, dtype=torch.bfloat16, enabled=low),
        ):
            batch = x[start : start + batch_size].to(estimator.device)
            features.append(network.forward_features(network.prepare(batch)).float().cpu())
    return torch.cat(features).numpy().astype(np.float64)


def squared_mmd(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Discrepancy:
    """Return the squared MMD of two sets of features.

    Rows are scaled to length 1. The kernel is exp(-r^2 / (2 b^2)) of the distance r, with the
    median distance in the pooled set as its bandwidth b.

    Parameters
    ----------
    first, second : array of shape (n, d) and (m, d)
        Features, two or more rows each.
    permutations : int
        Number of random permutations in the test; if there are no more than that, all are used.
    seed : int
        Of the permutations.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, a row is 0, half of the rows' distances are
        0, or `permutations` is less than 1.

    References
    ----------
    .. [1] A. Gretton et al., "A kernel two-sample test", J. Mach. Learn. Res. 13, 723 (2012),
       lemma 6 (the unbiased estimate).
    """
    a, b = (np.asarray(features, np.float64) for features in (first, second))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise InputError(
            f"features of shape {a.shape} and {b.shape}",
            advice="Use (n, d) and (m, d), n and m 2 or more",
        )
    if permutations < 1:
        raise InputError(f"{permutations} permutations", advice="Use 1 or more")
    pooled = np.concatenate([a, b])
    length = np.linalg.norm(pooled, axis=1, keepdims=True)
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise InputError("features that are 0 or not finite")
    distances = scipy.spatial.distance.pdist(pooled / length)
    bandwidth = float(np.median(distances))
    if bandwidth == 0:
        raise InputError("most features are the same", advice="Use features that differ")
    # the diagonal stays 0: without a row's kernel with itself, the estimate is unbiased
    kernel = scipy.spatial.distance.squareform(np.exp(-(distances**2) / (2 * bandwidth**2)))
    whole = kernel.sum()

    def unbiased(rows: npt.NDArray[np.intp], others: npt.NDArray[np.intp]) -> float:
        n, m = len(rows), len(others)
        first = np.zeros(n + m)
        first[rows] = 1
        to_first = kernel @ first
        within = first @ to_first
        between = to_first.sum() - within
        left = whole - within - 2 * between
        return float(within / (n * (n - 1)) + left / (m * (m - 1)) - 2 * between / (n * m))

    test = scipy.stats.permutation_test(
        np.split(np.arange(len(pooled)), [len(a)]),
        unbiased,
        n_resamples=permutations,
        alternative="greater",
        vectorized=False,
        random_state=np.random.default_rng(seed),
    )
    return Discrepancy(float(test.statistic), float(test.pvalue), bandwidth)


def domain_shift(
    features: Mapping[str, npt.ArrayLike], *, permutations: int = PERMUTATIONS, seed: int = 0
) -> DomainShift:
    """Return the squared MMD of every pair of domains.

    Parameters
    ----------
    features : mapping of str to array of shape (n, d)
        Features by domain, two domains or more, each with its own draws of strengths: the same
        draws would pair the rows of two domains and underestimate the distance.
    permutations : int
        Permutations in the test of each pair.
    seed : int
        Of the permutations.

    Raises
    ------
    InputError
        If there are fewer than two domains, or as for `squared_mmd`.
    """
    if len(features) < 2:
        raise InputError(f"features of {len(features)} domains", advice="Use 2 or more")
    return DomainShift(
        {
            pair: squared_mmd(*(features[n] for n in pair), permutations=permutations, seed=seed)
            for pair in combinations(features, 2)
        }
    )
