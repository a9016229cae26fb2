"""How well d and f2 of two stacks are known: a bootstrap that keeps depths and curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.statistics import autocorrelation
from cop_core.statistics.effect_size import cohen_d, d_rows
from cop_core.statistics.smooth_curve import fit_curve

if TYPE_CHECKING:
    from cop_core.records.arrays import Interval
    from cop_core.statistics.smooth_curve import Curve

Array = npt.NDArray[np.float64]

_UNKNOWN = (float("nan"), float("nan"))
_MIN_DOF = 6.0  # of the interval of d; with 2 it covers 99 % and more of 34 planes
_CHUNK = 250  # bootstrap samples held at once, to keep memory flat


def effect_intervals(
    first: tuple[Array, Array], second: tuple[Array, Array], *, n_samples: int, seed: int
) -> tuple[Interval, Interval]:
    """Return 95 % intervals of d and of the interaction's f2, from a bootstrap over depth.

    Each sample is the smooth curve of a stack plus AR(1) errors as around it
    (`cop_core.statistics.smooth_curve`), so that the part of the SD that is trend stays. Planes
    at one depth in both stacks get innovations as correlated as those observed. The interval is
    ``d +- t SD`` over the samples, with the degrees of freedom of the two variances (Welch
    and Satterthwaite, not below 6); for f2 likewise on its signed root, then squared.

    Coverage is measured by ``benchmarks/calibration.py``. Percentiles of the same samples
    cover too seldom where planes are strongly correlated.

    Parameters
    ----------
    first, second : (ndarray of shape (n,), ndarray of shape (n,))
        Depth in um, ascending, and value of the planes that are kept.
    n_samples : int
        Bootstrap samples.
    seed : int
        Seed of the draws.

    Returns
    -------
    (float, float), (float, float)
        NaN where d is undefined or there are too few samples.
    """
    d = cohen_d(first[1], second[1])
    if np.isnan(d) or min(len(first[1]), len(second[1])) < 3 or n_samples < 2:
        return _UNKNOWN, _UNKNOWN
    curves = fit_curve(*first), fit_curve(*second)
    rng = np.random.default_rng(seed)
    found: list[tuple[Array, Array]] = []
    for start in range(0, n_samples, _CHUNK):
        rows = _drawn(first, second, curves, min(_CHUNK, n_samples - start), rng)
        found.append((d_rows(*rows), _f_rows(first[0], second[0], *rows)))
    half = float(scipy.stats.t.ppf(0.975, _welch(curves)))
    d_spread, f_spread = (
        half * float(np.std(x[np.isfinite(x)], ddof=1))
        for x in map(np.concatenate, zip(*found, strict=True))
    )
    f = float(_f_rows(first[0], second[0], first[1][None], second[1][None])[0])
    return (d - d_spread, d + d_spread), _squared(f - f_spread, f + f_spread)


def _drawn(
    first: tuple[Array, Array],
    second: tuple[Array, Array],
    curves: tuple[Curve, Curve],
    count: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Return stacks like the two, shapes (count, n) and (count, m)."""
    shared, likeness = _paired(first, second, curves)
    a, b = (rng.standard_normal((len(x[1]), count)) for x in (first, second))
    b[shared[1]] = likeness * a[shared[0]] + np.sqrt(1 - likeness**2) * b[shared[1]]
    return _around(curves[0], first[0], a).T, _around(curves[1], second[0], b).T


def _f_rows(first_um: Array, second_um: Array, first: Array, second: Array) -> Array:
    """Return the root of the interaction's f2 of each pair of rows, signed as the difference."""
    slopes, left, spans = zip(
        *(_line_rows(*x) for x in ((first_um, first), (second_um, second))), strict=True
    )
    spread = np.sqrt((left[0] + left[1]) * (1 / spans[0] + 1 / spans[1]))
    f = np.full(len(first), np.nan)
    np.divide(slopes[0] - slopes[1], spread, out=f, where=spread > 0)
    return f


def _line_rows(depth_um: Array, rows: Array) -> tuple[Array, Array, float]:
    """Return each row's slope and squares left by its line, and the squares of the depths."""
    centred = depth_um - depth_um.mean()
    span = float(centred @ centred)
    slope = rows @ centred / span
    around = rows - rows.mean(axis=1, keepdims=True)
    return slope, np.maximum((around**2).sum(axis=1) - slope**2 * span, 0.0), span


def _squared(low: float, high: float) -> Interval:
    """Return the interval of a square from that of its signed root."""
    ends = sorted((low**2, high**2))
    return (0.0 if low < 0 < high else ends[0]), ends[1]


def _paired(
    first: tuple[Array, Array], second: tuple[Array, Array], curves: tuple[Curve, Curve]
) -> tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], float]:
    """Return the planes at shared depths, and how alike their innovations are."""
    shared = np.intersect1d(first[0].round(6), second[0].round(6), return_indices=True)[1:]
    new = [
        autocorrelation.whiten((x[1] - c.mean)[:, None], c.known_rho, autocorrelation.gaps(x[0]))[
            :, 0
        ]
        for x, c in zip((first, second), curves, strict=True)
    ]
    a, b = new[0][shared[0]], new[1][shared[1]]
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    if len(a) < autocorrelation.MIN_PLANES or not norm:
        return shared, 0.0
    return shared, float(np.clip(a @ b / norm, -0.99, 0.99))


def _around(curve: Curve, depth_um: Array, innovations: Array) -> Array:
    errors = autocorrelation.colour(innovations, curve.known_rho, autocorrelation.gaps(depth_um))
    return np.asarray(curve.mean[:, None] + np.sqrt(curve.variance) * errors)


def _welch(curves: tuple[Curve, Curve]) -> float:
    """Return the degrees of freedom of the sum of two variances of means."""
    parts = np.array([c.variance / c.n_worth for c in curves])
    if not parts.any():
        return 1.0
    dof = float(parts.sum() ** 2 / (parts**2 / [max(c.dof, 1.0) for c in curves]).sum())
    return max(dof, _MIN_DOF) if all(np.isfinite(c.rho) for c in curves) else dof
