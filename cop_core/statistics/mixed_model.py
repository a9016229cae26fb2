"""Lines through several stacks at once: a mixed model with stacks, and animals, as random."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import scipy

from cop_core.errors import InputError
from cop_core.records import MixedFit
from cop_core.statistics.autocorrelation import DIGITS
from cop_core.statistics.significance import t_interval, t_p_value

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Array = npt.NDArray[np.float64]
Fitted = tuple[Array, Array, bool]
"""Gained slope and change under fixed power per um, covariance, whether a variance is 0."""

_EDGE: Final = 1e-6  # of the residual variance
_MAX_SHARE: Final = 1 - 1e-6  # of the variance that lies between animals
AT_EDGE: Final = "the mixed model finds no variance between stacks (or animals) in level or slope"
NO_SPREAD: Final = "the values do not vary"


def fit_mixed(
    series: Sequence[tuple[Array, Array]], arm: Array, animals: Sequence[Hashable] | None = None
) -> MixedFit:
    """Fit lines over depth to the stacks of two arms.

    Parameters
    ----------
    series : sequence of (ndarray of shape (n,), ndarray of shape (n,))
        Depth in um and value of every stack's kept planes.
    arm : ndarray of shape (stacks,)
        1 for fixed, 0 for gained.
    animals : sequence of hashable, optional
        Whose each stack is.

    Raises
    ------
    InputError
        A stack has fewer than three planes or one at an unknown depth, or there are too few
        animals for an error.
    """
    for depth, _ in series:
        if len(depth) < 3 or not np.isfinite(depth).all():
            raise InputError(
                "a stack has fewer than 3 planes at known depths",
                advice="Leave it out, or give its z step in um",
            )
    dof = _dof(arm, animals)
    counts = [len(value) for _, value in series]
    depth, value = (np.concatenate(column) for column in zip(*series, strict=True))
    empty = MixedFit(
        dof=dof, n_stacks=len(series), n_animals=len(set(animals or ())), n_planes=len(value)
    )
    if np.ptp(value) <= 1e-12 * np.abs(value).max():
        return replace(empty, note=NO_SPREAD)
    if animals is not None and len(set(animals)) < len(animals):
        return _with_slopes(empty, *_slopes_by_animal(series, arm, animals))
    return _with_slopes(empty, *_planes_by_stack(depth, value, np.repeat(arm, counts), counts))


def _planes_by_stack(depth: Array, value: Array, arm: Array, counts: list[int]) -> Fitted:
    """Fit ``value ~ depth * arm`` with statsmodels, random level and slope for each stack."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    # Depth and value in spreads, so that the optimiser meets numbers near 1.
    y, z = (value - value.mean()) / value.std(), (depth - depth.mean()) / depth.std()
    ones = np.ones_like(z)
    design, random = np.column_stack([ones, arm, z, z * arm]), np.column_stack([ones, z])
    model = MixedLM(y, design, np.repeat(np.arange(len(counts)), counts), exog_re=random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of variances at 0, which `AT_EDGE` says in words
        fit = model.fit(reml=True, method=["lbfgs", "powell"])
    between = np.asarray(fit.cov_re)
    at_edge = float(np.linalg.eigvalsh(between).min()) < _EDGE * float(fit.scale)
    # Of the fixed effects at the fitted variances, as in lme4: statsmodels inverts a joint
    # Hessian, which has no inverse where a variance is 0.
    information = np.zeros((4, 4))
    for x, r in zip(model.exog_li, model.exog_re_li, strict=True):
        variance = r @ between @ r.T + float(fit.scale) * np.eye(len(r))
        information += x.T @ np.linalg.solve(variance, x)
    unit = float(value.std() / depth.std())
    covariance = np.asarray(np.linalg.inv(information)[2:, 2:]) * unit**2
    return np.asarray(fit.fe_params)[2:] * unit, covariance.astype(np.float64), at_edge


def _slopes_by_animal(
    series: Sequence[tuple[Array, Array]], arm: Array, animals: Sequence[Hashable]
) -> Fitted:
    """Fit ``slope ~ arm`` to the stacks' slopes, with a random level for each animal.

    Few slopes often have no variance between animals; statsmodels then finds no fit, so the
    one ratio of variances is sought here, by restricted likelihood.
    """
    slopes = np.array([np.polynomial.Polynomial.fit(*s, 1).convert().coef[1] for s in series])
    same = np.array([[a == b for b in animals] for a in animals], dtype=np.float64)
    design = np.column_stack([np.ones_like(arm), arm])
    dof = len(arm) - 2

    def solve(ratio: float) -> tuple[float, Array, Array]:
        root = np.linalg.cholesky(np.eye(len(arm)) + ratio * same)
        x, y = np.linalg.solve(root, design), np.linalg.solve(root, slopes)
        inverse = np.linalg.inv(x.T @ x)
        coefficients = inverse @ x.T @ y
        # above 0 for its logarithm: copies of one stack leave nothing
        left = max(float(((y - x @ coefficients) ** 2).sum()), float(np.finfo(np.float64).tiny))
        log_det = 2 * np.log(np.diag(root)).sum() - np.log(np.linalg.det(inverse))
        return float(dof * np.log(left) + log_det), coefficients, inverse * left / dof

    best = scipy.optimize.minimize_scalar(
        lambda share: solve(share / (1 - share))[0],
        bounds=(0.0, _MAX_SHARE), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    at_edge = solve(0.0)[0] <= best.fun
    share = min(round(float(best.x), DIGITS), _MAX_SHARE)
    _, coefficients, covariance = solve(0.0 if at_edge else share / (1 - share))
    return coefficients, covariance, bool(at_edge)


def _dof(arm: Array, animals: Sequence[Hashable] | None) -> float:
    """Return the stacks, or animals, beyond those that the arms (and animals in both) use."""
    owners = range(len(arm)) if animals is None else animals
    units = set(zip(arm.tolist(), owners, strict=True))
    in_both = len(units) - len(set(owners))
    dof = in_both - 1 if in_both == len(set(owners)) else len(set(owners)) - 2
    if dof < 1:
        raise InputError(
            f"{len(set(owners))} animals leave no error to compare with",
            advice="Add animals; stacks of one animal are not independent of each other",
        )
    return float(dof)


def _with_slopes(
    empty: MixedFit, coefficients: Array, covariance: Array, at_edge: bool
) -> MixedFit:
    """Return the fit with the gained slope, its change under fixed power, and both together."""

    def estimate(*weights: float) -> tuple[float, float, float]:
        variance = np.array(weights) @ covariance @ weights
        return float(np.array(weights) @ coefficients), float(np.sqrt(variance)), empty.dof

    fixed, gained, difference = estimate(1, 1), estimate(1, 0), estimate(0, 1)
    return replace(
        empty,
        fixed_slope_per_um=fixed[0],
        fixed_se=fixed[1],
        fixed_ci95=t_interval(*fixed),
        gained_slope_per_um=gained[0],
        gained_se=gained[1],
        gained_ci95=t_interval(*gained),
        slope_difference_per_um=difference[0],
        se=difference[1],
        ci95=t_interval(*difference),
        p_value=t_p_value(*difference),
        note=AT_EDGE if at_edge else "",
    )
