"""Noise against depth as a straight line, with errors that respect neighbouring planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.errors import InputError
from cop_core.statistics import autocorrelation
from cop_core.statistics.smooth_curve import curve_dof, fit_curve

NEEDS_PLANES = "needs 3 planes or more"
NEEDS_DEPTHS = "needs planes at known, different depths"
FEW_PLANES = f"fewer than {autocorrelation.MIN_PLANES} planes: errors taken as independent"
NO_SPREAD = "the values do not vary"

CURVED_P = 0.05
"""A line is called curved where the terms above it have a smaller p ..."""
CURVED_R2 = 0.05
"""... and explain more of the variance than this."""

_NAN = float("nan")
_UNKNOWN = (_NAN, _NAN)


@dataclass(frozen=True)
class SlopeFit:
    """A line through plane means.

    The slope is that of ordinary least squares, as in the paper. Its standard error, interval
    and p value are those of this slope under AR(1) errors around a smooth curve
    (`cop_core.statistics.smooth_curve` has the choice and how often it is wrong), with a t
    distribution. So they say how well the slope of the best straight line is known; whether a
    straight line describes the planes is for `r2_curve` and `p_curved`. NaN means undefined, with
    the reason in `note`.

    Attributes
    ----------
    slope_per_um : float
        Change of strength per um of depth (multiply by 100 for 100 um).
    intercept : float
        Strength at depth 0.
    r2 : float
        Share of the variance that the line explains.
    se, slope_ci95, p_value
        Standard error, 95 % confidence interval and two-sided p of the slope, AR(1) errors.
    se_ols, ci95_ols, p_value_ols
        The same with planes taken as independent (the paper's).
    rho : float
        Correlation of neighbouring planes around a smooth curve (restricted maximum
        likelihood, raised against its bias in short stacks).
    n : int
        Planes that entered.
    n_effective : float
        ``n (1 - rho) / (1 + rho)``, the independent planes they are worth.
    degree : int
        Degree of the polynomial that the smooth curve is; 0 where there is none.
    r2_curve, p_curved : float
        Share of the variance that the curve explains, and p of its terms above the line
        (F test, AR(1) errors).
    note : str
        What the reader must know of this fit; empty for an ordinary one.

    References
    ----------
    .. [1] "A Contrastive Pre-trained Foundation Model for Deciphering Imaging Noisomics
       across Modalities", arXiv:2601.17047, Fig. 4.
    """

    slope_per_um: float = _NAN
    intercept: float = _NAN
    r2: float = _NAN
    se: float = _NAN
    slope_ci95: tuple[float, float] = _UNKNOWN
    p_value: float = _NAN
    se_ols: float = _NAN
    ci95_ols: tuple[float, float] = _UNKNOWN
    p_value_ols: float = _NAN
    rho: float = _NAN
    n: int = 0
    n_effective: float = _NAN
    degree: int = 0
    r2_curve: float = _NAN
    p_curved: float = _NAN
    note: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a line at all."""
        return bool(np.isfinite(self.slope_per_um))

    @property
    def dof(self) -> float:
        """Degrees of freedom of `p_value` and `slope_ci95`."""
        if not self.defined:
            return _NAN
        if np.isnan(self.n_effective):
            return float(max(self.n - 2, 1))
        return curve_dof(self.n_effective, self.degree)

    @property
    def curved(self) -> bool:
        """Whether a straight line clearly misses how the planes run with depth."""
        return self.p_curved < CURVED_P and self.r2_curve - self.r2 > CURVED_R2

    def at(self, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the line's strength at depths in um, same shape."""
        return np.asarray(self.intercept + self.slope_per_um * np.asarray(depth_um, np.float64))


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
            n=len(depth), note=NO_SPREAD,
        )  # fmt: skip
    return _fit(depth, value)


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


def t_interval(value: float, se: float, dof: float) -> tuple[float, float]:
    """Return the 95 % confidence interval of an estimate with t-distributed error."""
    half = float(scipy.stats.t.ppf(0.975, dof)) * se
    return value - half, value + half


def t_p_value(value: float, se: float, dof: float) -> float:
    """Return the two-sided p of an estimate against 0; NaN for 0 with no error."""
    if se == 0:
        return 0.0 if value else _NAN
    return float(2 * scipy.stats.t.sf(abs(value / se), dof))


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
        note=FEW_PLANES if np.isnan(curve.rho) else "",
    )
