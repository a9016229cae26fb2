"""The difference of two slopes: three ways to say how well it is known, and the naive one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.statistics import autocorrelation
from cop_core.statistics.significance import t_interval, t_p_value
from cop_core.statistics.slope import fit_slope

if TYPE_CHECKING:
    from cop_core.records import SlopeFit

Array = npt.NDArray[np.float64]
Series = tuple[Array, Array]
"""Depth in um, ascending, and value of the planes that are kept."""

SPARE_DOF: Final = 4.0
"""Added to each stack's effective planes: errors of two variances partly cancel."""

_NAN = float("nan")
_ROUNDING: Final = 1e-12  # of the slopes: errors below are nothing but rounding


@dataclass(frozen=True)
class SlopeDifference:
    """An estimated difference of slopes.

    Attributes
    ----------
    value, se : float
        SlopeDifference per um and its standard error.
    dof : float
        Degrees of freedom of the error; NaN where it has no t distribution.
    ci95 : (float, float)
        95 % confidence interval.
    p_value : float
        Two-sided p against no difference.
    """

    value: float = _NAN
    se: float = _NAN
    dof: float = _NAN
    ci95: tuple[float, float] = (_NAN, _NAN)
    p_value: float = _NAN


def ar1_difference(first: SlopeFit, second: SlopeFit) -> SlopeDifference:
    """Return the difference of two slopes, each stack with AR(1) errors of its own.

    Parameters
    ----------
    first, second : SlopeFit
        The lines; the second slope is taken from the first.

    Returns
    -------
    SlopeDifference
        Degrees of freedom after Welch and Satterthwaite, from each stack's effective planes
        (and `SPARE_DOF`: with the degrees of freedom of single slopes, only 2 to 3 % of null
        differences are significant at 0.05 where neighbouring planes are strongly correlated).
    """
    if not (first.defined and second.defined):
        return SlopeDifference()
    value = first.slope_per_um - second.slope_per_um
    variances = np.array([first.se, second.se]) ** 2
    se = float(np.sqrt(variances.sum()))
    if se == 0:
        return _certain(value)
    shares = (variances / variances.sum()) ** 2
    return _with_t(value, se, float(1 / (shares / [_dof(first), _dof(second)]).sum()))


def paired_difference(first: Series, second: Series) -> SlopeDifference:
    """Return the slope of the difference plane by plane, AR(1) errors, at shared depths.

    What both stacks share at a depth (tissue, vessels) cancels.

    Parameters
    ----------
    first, second : (ndarray of shape (n,), ndarray of shape (n,))
        Depth and value of the planes that are kept.

    Raises
    ------
    InputError
        Fewer than 8 planes lie at depths that both have.
    """
    shared = np.intersect1d(first[0].round(6), second[0].round(6), return_indices=True)
    if len(shared[0]) < autocorrelation.MIN_PLANES:
        raise InputError(
            f"{len(shared[0])} planes lie at depths that both stacks have, "
            f"pairs need {autocorrelation.MIN_PLANES} or more",
            advice="Compare with the errors of each stack (ar1)",
        )
    fit = fit_slope(shared[0], first[1][shared[1]] - second[1][shared[2]])
    return SlopeDifference(fit.slope_per_um, fit.se, fit.dof, fit.slope_ci95, fit.p_value)


def bootstrap_difference(
    first: Series, second: Series, *, n_samples: int, seed: int
) -> SlopeDifference:
    """Return the difference of two slopes with errors from blocks of neighbouring planes.

    Residuals around the line of each stack are drawn again in blocks that may start
    anywhere, at the same places in both where they share all depths. The interval is the basic
    one (the estimate minus the quantiles of its error). Blocks of a short, strongly correlated
    stack are too few: ``benchmarks/calibration.py`` shows from where this way is too bold.

    Parameters
    ----------
    first, second : (ndarray of shape (n,), ndarray of shape (n,))
        Depth, ascending, and value of the planes that are kept.
    n_samples : int
        Bootstrap samples.
    seed : int
        Seed of the draws.

    References
    ----------
    .. [1] H. R. Kuensch, "The jackknife and the bootstrap for general stationary
       observations", Ann. Stat. 17, 1217 (1989).
    """
    lines = fit_slope(*first), fit_slope(*second)
    if not all(fit.defined for fit in lines):
        return SlopeDifference()
    value = lines[0].slope_per_um - lines[1].slope_per_um
    together = np.array_equal(first[0], second[0])
    size = max(block_length(fit.n, fit.rho) for fit in lines)
    streams: list[int | list[int]] = [seed, seed] if together else [[seed, 0], [seed, 1]]
    drawn = [
        _slope_errors(series, fit, min(size, fit.n), n_samples, np.random.default_rng(stream))
        for series, fit, stream in zip((first, second), lines, streams, strict=True)
    ]
    errors = drawn[0] - drawn[1]
    se = float(errors.std())
    if se <= _ROUNDING * max(abs(fit.slope_per_um) for fit in lines):
        return _certain(value)
    low, high = np.quantile(errors, [0.025, 0.975])
    p = (1 + int((np.abs(errors) >= abs(value)).sum())) / (n_samples + 1)
    return SlopeDifference(value, se, _NAN, (value - float(high), value - float(low)), p)


def block_length(n: int, rho: float) -> int:
    """Return how many planes a block holds, the best for the variance of an AR(1) mean.

    Parameters
    ----------
    n : int
        Number of planes.
    rho : float
        Correlation of neighbouring planes; NaN counts as 0.

    References
    ----------
    .. [1] D. N. Politis, H. White, Econom. Rev. 23, 53 (2004), eq. 9 with the autocovariance
       of an AR(1) process.
    """
    rho = 0.0 if np.isnan(rho) else rho
    return int(np.clip(np.ceil((6 * n * rho**2 / (1 - rho**2) ** 2) ** (1 / 3)), 1, max(n // 3, 1)))


def _slope_errors(
    series: Series, line: SlopeFit, size: int, n_samples: int, rng: np.random.Generator
) -> Array:
    """Return slopes of residuals drawn in blocks of neighbours, shape (n_samples,)."""
    depth, value = series
    n = len(depth)
    residual = (value - line.at(depth)) * np.sqrt(n / (n - 2))
    starts = rng.integers(0, n - size + 1, (n_samples, -(-n // size)))
    chosen = (starts[:, :, None] + np.arange(size)).reshape(n_samples, -1)[:, :n]
    centred = depth - depth.mean()
    slopes = residual[chosen] @ (centred / (centred @ centred))
    return np.asarray(slopes - slopes.mean())


def naive_interaction(first: Series, second: Series) -> tuple[float, float]:
    """Return p and Cohen's f2 of the depth x protocol interaction, planes independent.

    Parameters
    ----------
    first, second : (ndarray of shape (n,), ndarray of shape (n,))
        Depth and value of the planes that are kept; each defines a line.
    """
    from statsmodels.regression.linear_model import OLS

    depth, value = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    depth = (depth - depth.mean()) / depth.std()
    protocol = np.repeat([1.0, 0.0], [len(first[0]), len(second[0])])
    design = np.column_stack([np.ones_like(depth), depth, protocol, depth * protocol])
    model = OLS(value, design).fit()
    if np.sqrt(model.ssr) <= 1e-12 * np.linalg.norm(value):  # exact lines: no error to test with
        return t_p_value(float(model.params[3]), 0.0, 1.0), _NAN
    return float(model.pvalues[3]), float(model.tvalues[3] ** 2 / model.df_resid)


def _dof(fit: SlopeFit) -> float:
    if np.isnan(fit.n_effective):
        return fit.dof
    return min(fit.n_effective + SPARE_DOF, fit.n - 2)


def _with_t(value: float, se: float, dof: float) -> SlopeDifference:
    return SlopeDifference(value, se, dof, t_interval(value, se, dof), t_p_value(value, se, dof))


def _certain(value: float) -> SlopeDifference:
    """Return a difference without error."""
    return SlopeDifference(value, 0.0, _NAN, (value, value), t_p_value(value, 0.0, 1.0))
