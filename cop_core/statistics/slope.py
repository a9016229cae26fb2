"""Noise against depth as a straight line, with errors that respect neighbouring planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.records import SlopeFit
from cop_core.statistics import autocorrelation
from cop_core.statistics.autocorrelation import curve_dof
from cop_core.statistics.significance import t_interval, t_p_value
from cop_core.statistics.smooth_curve import fit_curve

if TYPE_CHECKING:
    from cop_core.records import DepthProfile
    from cop_core.statistics.smooth_curve import Curve

NEEDS_PLANES = "needs 3 planes or more"
NEEDS_DEPTHS = "needs planes at known, different depths"
FEW_PLANES = f"fewer than {autocorrelation.MIN_PLANES} planes: errors taken as independent"
NO_SPREAD = "the values do not vary"


def fit_slope(depth_um: npt.ArrayLike, values: npt.ArrayLike) -> SlopeFit:
    """Fit a line to values over depth.

    Parameters
    ----------
    depth_um : array_like of shape (n,)
        Depth in um, in any order.
    values : array_like of shape (n,)
        Strengths (or anything else that may grow with depth).

    Returns
    -------
    SlopeFit
        Undefined, with a note, for fewer than three planes or for planes at one depth.
        Pairs with a NaN or infinite member do not enter.

    Raises
    ------
    InputError
        The two are not one-dimensional or not of one length.
    """
    depth, value = paired_values(depth_um, values)
    if not len(depth) and np.isfinite(np.asarray(values, np.float64)).sum() >= 3:
        return SlopeFit(note=NEEDS_DEPTHS)
    if len(depth) < 3:
        return SlopeFit(n=len(depth), note=NEEDS_PLANES)
    if np.ptp(depth) == 0:
        return SlopeFit(n=len(depth), note=NEEDS_DEPTHS)
    if np.ptp(value) == 0:
        return SlopeFit(
            0.0, float(value[0]), se=0.0, slope_ci95=(0.0, 0.0), se_ols=0.0, ci95_ols=(0.0, 0.0),
            n=len(depth), dof=float(max(len(depth) - 2, 1)), note=NO_SPREAD,
        )  # fmt: skip
    return _fit(depth, value)


def fit_profile(
    profile: DepthProfile, values: npt.NDArray[np.float64] | None = None
) -> dict[str, SlopeFit]:
    """Fit a line to every component over the planes that are kept.

    Parameters
    ----------
    profile : DepthProfile
        The planes.
    values : ndarray of shape (planes, components), optional
        What runs with depth, where it is not the mean strengths themselves.
    """
    kept = profile.kept
    columns = (profile.mean if values is None else values)[kept].T
    lines = (fit_slope(profile.depth_um[kept], column) for column in columns)
    return dict(zip(profile.components, lines, strict=True))


def paired_values(
    depth_um: npt.ArrayLike, values: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return depths and values in order of depth, without what is not finite.

    Raises
    ------
    InputError
        The two are not one-dimensional or not of one length.
    """
    depth, value = np.asarray(depth_um, np.float64), np.asarray(values, np.float64)
    if depth.ndim != 1 or depth.shape != value.shape:
        raise InputError(
            f"depths of shape {depth.shape} and values of shape {value.shape} do not pair",
            advice="Give one depth in um for each value",
        )
    use = np.isfinite(depth) & np.isfinite(value)
    order = np.argsort(depth[use], kind="stable")
    return depth[use][order], value[use][order]


def _fit(depth: npt.NDArray[np.float64], value: npt.NDArray[np.float64]) -> SlopeFit:
    from statsmodels.regression.linear_model import OLS

    n = len(depth)
    centre = depth.mean()
    design = np.column_stack([np.ones(n), depth - centre])
    line = OLS(value, design).fit()
    level, slope = (float(p) for p in line.params)
    se_ols = float(np.sqrt(max(line.ssr, 0.0) / (n - 2) / (design[:, 1] @ design[:, 1])))
    curve = fit_curve(depth, value)
    weights = design[:, 1] / (design[:, 1] @ design[:, 1])  # slope = weights @ value
    spread = autocorrelation.quadratic_form(weights, curve.known_rho, autocorrelation.gaps(depth))
    se = float(np.sqrt(curve.variance * spread))
    return SlopeFit(
        slope_per_um=slope,
        intercept=level - slope * float(centre),
        r2=float(line.rsquared),
        se=se,
        slope_ci95=t_interval(slope, se, curve.dof),
        p_value=t_p_value(slope, se, curve.dof),
        se_ols=se_ols,
        ci95_ols=t_interval(slope, se_ols, n - 2),
        p_value_ols=t_p_value(slope, se_ols, n - 2),
        rho=curve.rho,
        n=n,
        n_effective=curve.n_effective,
        degree=curve.degree,
        r2_curve=curve.r2,
        p_curved=curve.p_curved,
        dof=_dof(n, curve),
        note=FEW_PLANES if np.isnan(curve.rho) else "",
    )


def _dof(n: int, curve: Curve) -> float:
    if np.isnan(curve.rho):
        return float(max(n - 2, 1))
    return curve_dof(curve.n_effective, curve.degree)
