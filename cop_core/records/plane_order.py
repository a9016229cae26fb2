"""Planes of a stack that are not at the next depth: channels stored in turn, and copies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.records.arrays import Matrix
from cop_core.words import so_many

FEWEST_PLANES: Final = 12
"""Fewest planes in a row in which channels stored in turn show."""

_CHANNELS: Final = {2: "second", 3: "third", 4: "fourth"}
"""Numbers of channels, with the ordinal of each."""
_LEAST: Final = 30.0
"""Minimum ratio of the variance between channels to that within, both without what changes slowly.

It is 0.1 to 6 in stacks of one channel, and above 40 where the second is 10 % brighter.
"""
_ROUNDING: Final = 1e-20


def in_turn(means: Sequence[Matrix]) -> str:
    """Return whether planes are of several channels in turn, a sentence without a full stop.

    Parameters
    ----------
    means : sequence of ndarray of shape (rows, columns)
        Block means of planes that follow each other.
    """
    run = _longest_run(means)
    if len(run) < FEWEST_PLANES or not run.size:
        return ""
    ratios = {n: _between_to_within(run, n) for n in _CHANNELS}
    n = max(ratios, key=ratios.__getitem__)
    if ratios[n] < _LEAST:
        return ""
    return (
        f"every {_CHANNELS[n]} plane is alike, as if {n} channels were stored in turn and read as "
        "one: split them first (in Fiji: Image > Hyperstacks > Stack to Hyperstack)"
    )


def copies(means: Sequence[Matrix]) -> str:
    """Return how many planes are copies of the plane before, a sentence without a full stop."""
    n = sum(np.ptp(a) > 0 and np.array_equal(a, b) for a, b in pairwise(means) if a.size)
    if not n:
        return ""
    are = "are copies of the planes before them" if n > 1 else "is a copy of the plane before it"
    return f"{so_many(n, len(means))} {are} and no new measurement: intervals are too narrow"


def _longest_run(means: Sequence[Matrix]) -> npt.NDArray[np.float64]:
    """Return the blocks of the longest run of planes with values in them, (planes, blocks)."""
    runs: list[list[Matrix]] = [[]]
    for plane in means:
        known = bool(np.isfinite(plane).any())
        if known and runs[-1] and plane.shape == runs[-1][-1].shape:
            runs[-1].append(plane)
        else:
            runs.append([plane] if known else [])
    longest = max(runs, key=len)
    blocks = np.array(longest).reshape(len(longest), -1 if longest else 0)
    return blocks[:, np.isfinite(blocks).all(axis=0)]


def _between_to_within(run: npt.NDArray[np.float64], n: int) -> float:
    """Return the ratio of variances for n channels, as in an analysis of variance."""
    weights = np.full(n, 1 / n) if n % 2 else np.array([0.5, *[1.0] * (n - 1), 0.5]) / n
    slow = np.stack([np.convolve(block, weights, "valid") for block in run.T], axis=1)
    fast = run[len(weights) // 2 :][: len(slow)] - slow
    channel = np.arange(len(fast)) % n
    own = np.stack([fast[channel == k].mean(axis=0) for k in range(n)])[channel]
    between, within = np.sum(own**2) / (n - 1), np.sum((fast - own) ** 2) / (len(fast) - n)
    if between <= _ROUNDING * np.sum(run**2):
        return 0.0
    return float(between / within) if within else math.inf
