"""How strengths change with depth in one stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.records import SlopeFit
from cop_core.records.lines import FEW_PLANES, LEAST_FOR_A_LINE, LEAST_PLANES, NEEDS_PLANES
from cop_core.statistics.contrast import slope_weights
from cop_core.statistics.depth_order import by_depth
from cop_core.statistics.near_planes import ReadingErrors
from cop_core.statistics.reading_bootstrap import interval_of_r2
from cop_core.statistics.significance import t_interval, t_p_value

if TYPE_CHECKING:
    from cop_core.records import DepthProfile

Array = npt.NDArray[np.float64]

NEEDS_DEPTHS = "needs planes at known, different depths"
NO_SPREAD = "the values do not vary"

R2_SAMPLES: Final = 400
"""Enough for a standard deviation accurate to 4 %."""


def fit_slope(
    depth_um: npt.ArrayLike,
    values: npt.ArrayLike,
    uncertainty: npt.ArrayLike | None = None,
    *,
    samples: int = R2_SAMPLES,
    seed: int = 0,
) -> SlopeFit:
    """Return the slope of values over depth, with its errors.

    Parameters
    ----------
    depth_um : array_like of shape (n,)
        Depth in µm, in any order. Planes at one depth are averaged.
    values : array_like of shape (n,)
        Strengths (or anything else that may change with depth).
    uncertainty : array_like of shape (n,), optional
        Stated for each value, one SD, for the reading limit.
    samples, seed : int
        Of the bootstrap for R2; without samples, its interval is unknown.

    Returns
    -------
    SlopeFit
        Undefined, with a note, for fewer than three planes or for planes at one depth. Pairs with a
        NaN or infinite member are ignored.

    Raises
    ------
    InputError
        If the arrays are not one-dimensional or differ in length.
    """
    columns = _checked(depth_um, values, uncertainty)
    n = int(np.isfinite(columns[:2]).all(axis=0).sum())
    if not n and np.isfinite(columns[1]).sum() >= LEAST_FOR_A_LINE:
        return SlopeFit(note=NEEDS_DEPTHS)
    if n < LEAST_FOR_A_LINE:
        return SlopeFit(n=n, note=NEEDS_PLANES)
    planes = by_depth(columns[0], columns[1], np.nan_to_num(columns[2]))
    if planes.shape[1] < 2:
        return SlopeFit(n=n, note=NEEDS_DEPTHS)
    stated = bool(np.isfinite(columns[2][np.isfinite(columns[:2]).all(axis=0)]).all())
    return _fit(planes, n, stated=stated, samples=samples, seed=seed)


def fit_profile(profile: DepthProfile, values: Array | None = None) -> dict[str, SlopeFit]:
    """Return the slope of every component over the planes that are kept.

    Parameters
    ----------
    profile : DepthProfile
        The planes.
    values : ndarray of shape (planes, components), optional
        Values to fit in place of the mean strengths.
    """
    kept = profile.kept
    if values is not None:  # R2 says nothing of values that are not strengths
        lines = [fit_slope(profile.depth_um[kept], y, samples=0) for y in values[kept].T]
        return dict(zip(profile.components, lines, strict=True))
    columns = zip(profile.mean[kept].T, profile.uncertainty[kept].T, strict=True)
    lines = [fit_slope(profile.depth_um[kept], y, doubt) for y, doubt in columns]
    return dict(zip(profile.components, lines, strict=True))


def _checked(
    depth_um: npt.ArrayLike, values: npt.ArrayLike, uncertainty: npt.ArrayLike | None
) -> Array:
    depth, value = np.asarray(depth_um, np.float64), np.asarray(values, np.float64)
    doubt = np.full(value.shape, np.nan) if uncertainty is None else np.asarray(uncertainty, float)
    if depth.ndim != 1 or not depth.shape == value.shape == doubt.shape:
        raise InputError(
            f"depths of shape {depth.shape} and values of shape {value.shape} do not match",
            advice="use one depth in µm for each value",
        )
    return np.array([depth, value, doubt])


def _fit(planes: Array, n: int, *, stated: bool, samples: int, seed: int) -> SlopeFit:
    depth, value, doubt = planes
    errors = ReadingErrors.of(depth, value)
    found, each = errors.contrast(slope_weights(depth)), errors.planes
    line = found.value, float(value.mean() - found.value * depth.mean())
    flat = not np.ptp(value)
    limit = float(np.abs(slope_weights(depth)) @ doubt)
    return SlopeFit(
        *line,
        r2=float("nan") if flat else float(np.corrcoef(depth, value)[0, 1] ** 2),
        r2_ci95=interval_of_r2(value, each, found.dof, samples=samples, seed=seed),
        se=found.se,
        slope_ci95=found.ci95,
        p_value=found.p_value,
        dof=found.dof,
        reading_limit_per_um=limit if stated else float("nan"),
        **_ordinary(depth, value, line),
        n=n,
        error_correlation=each.rho,
        note=NO_SPREAD if flat else "" if len(depth) >= LEAST_PLANES else FEW_PLANES,
    )


def _ordinary(depth: Array, value: Array, line: tuple[float, float]) -> dict[str, Any]:
    """Return error, interval and p around a straight line, planes taken as independent."""
    free = len(depth) - 2
    if free < 1:
        return {}
    left = value - line[1] - line[0] * depth
    centred = depth - depth.mean()
    se = float(np.sqrt(left @ left / free / (centred @ centred)))
    return {
        "se_ols": se,
        "ci95_ols": t_interval(line[0], se, free),
        "p_value_ols": t_p_value(line[0], se, free),
    }
