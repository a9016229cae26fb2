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

It is 0.1 to 6 in 12 planes of tissue, 13 in frames of a movie that differ in turn, and above 50 in
planes of two channels.
"""
_SHARE: Final = 0.75
"""Quantile over a stack of that ratio in rows of 12 planes.

Most may be empty in every channel. More than one row must exceed `_LEAST`, if there are more:
one in 30 does where only the brightness of whole planes varies, and at random.
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
    # not of all planes at once: the ratio grows with their number, and falls where tissues change
    starts = range(0, len(run) - FEWEST_PLANES + 1, FEWEST_PLANES)
    rows = [run[start : start + FEWEST_PLANES] for start in starts]
    ratios = {
        n: float(np.quantile([_between_to_within(row, n) for row in rows], _SHARE, method="lower"))
        for n in _CHANNELS
    }
    n = max(ratios, key=ratios.__getitem__)
    if ratios[n] < _LEAST:
        return ""
    return (
        f"every {_CHANNELS[n]} plane is alike, as if {n} channels were stored in turn and read as "
        "one: split them first (in Fiji: Image > Hyperstacks > Stack to Hyperstack)"
    )


def copies(means: Sequence[Matrix], signals: Sequence[float]) -> str:
    """Return how many planes are copies of the plane before, a sentence without a full stop.

    Parameters
    ----------
    means : sequence of ndarray of shape (rows, columns)
        Block means of planes that follow each other.
    signals : sequence of float
        Means of all their pixels. Block means are rounded: those of planes with little noise may
        be equal.
    """
    pairs = pairwise(zip(means, signals, strict=True))
    n = sum(one == other and _same(a, b) for (a, one), (b, other) in pairs)
    if not n:
        return ""
    are = "are copies of the planes before them" if n > 1 else "is a copy of the plane before it"
    return f"{so_many(n, len(means))} {are} and no new measurement: intervals are too narrow"


def _same(first: Matrix, second: Matrix) -> bool:
    """Return whether block means are equal and not those of a plane with a single value."""
    known = first[np.isfinite(first)]
    varied = bool(known.size and np.ptp(known) > 0)
    return varied and np.array_equal(first, second, equal_nan=True)


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
    whole = len(run) - len(weights) + 1
    slow = sum(w * run[k : k + whole] for k, w in enumerate(weights))
    fast = run[len(weights) // 2 :][:whole] - slow
    fast -= fast.mean(axis=0)  # of a curve, which all channels share
    channel = np.arange(len(fast)) % n
    own = np.stack([fast[channel == k].mean(axis=0) for k in range(n)])[channel]
    between, within = np.sum(own**2) / (n - 1), np.sum((fast - own) ** 2) / (len(fast) - n)
    if between <= _ROUNDING * np.sum(run**2):
        return 0.0
    return float(between / within) if within else math.inf
