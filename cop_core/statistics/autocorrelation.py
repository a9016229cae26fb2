"""Errors that neighbouring planes share: a first-order autoregressive process over depth.

Neighbouring planes see nearly the same tissue, so their residuals around a line are alike.
The correlation of two planes is taken as ``rho ** (distance / median step)``, which is AR(1)
on a regular grid and leaves the right gap where a plane is excluded.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

Array = npt.NDArray[np.float64]

MIN_PLANES = 8
"""Below this number of planes a correlation cannot be distinguished from the trend."""

MAX_RHO = 0.995
"""Largest correlation that is used."""

DIGITS = 6
"""Decimals to which the position of a minimum is the same on every processor."""

RAISE: Final = 3.0
"""Strength of the correction of a correlation for its bias in short stacks."""
RHO_DOF: Final = 3.0
"""Degrees of freedom lost by estimating the correlation too."""
MIN_DOF: Final = 1.5
"""Fewest degrees of freedom that are used (t of 6, against 12.7 for one)."""

_MIN_GAP = 0.5  # planes at (nearly) the same depth are still two measurements


def gaps(depth_um: Array) -> Array:
    """Return the distances between neighbouring planes in median steps.

    Parameters
    ----------
    depth_um : ndarray of shape (n,)
        Depth in µm, ascending, not all equal.

    Returns
    -------
    ndarray of shape (n - 1,)
        1 on a regular grid, 2 where one plane is left out; never below 0.5.
    """
    step = np.diff(depth_um)
    return np.asarray(np.maximum(step / np.median(step[step > 0]), _MIN_GAP))


def whiten(values: Array, rho: float, gap: Array) -> Array:
    """Turn AR(1) rows into uncorrelated rows of equal variance.

    Parameters
    ----------
    values : ndarray of shape (n, k)
        Columns ordered by depth.
    rho : float
        Correlation of two planes one median step apart, in [0, 1).
    gap : ndarray of shape (n - 1,)
        From `gaps`.

    Returns
    -------
    ndarray of shape (n, k)
        The innovation of each row, in units of the stationary SD.
    """
    r = (rho**gap)[:, None]
    return np.vstack([values[:1], (values[1:] - r * values[:-1]) / np.sqrt(1 - r**2)])


def colour(white: Array, rho: float, gap: Array) -> Array:
    """Turn rows of uncorrelated numbers into rows of AR(1) of equal variance.

    Parameters
    ----------
    white : ndarray of shape (samples, n)
    rho, gap
        As in `whiten`.

    Returns
    -------
    ndarray of shape (samples, n)
    """
    found = white.copy()
    for i, r in enumerate(rho**gap if rho else (), start=1):
        found[:, i] = r * found[:, i - 1] + np.sqrt(1 - r**2) * white[:, i]
    return found


def estimate_rho(design: Array, values: Array, gap: Array) -> float:
    """Estimate the correlation of neighbouring planes by restricted maximum likelihood.

    The plain lag-1 correlation of residuals is too low, because the line takes up part of
    the process; the restricted likelihood leaves that part out.

    Parameters
    ----------
    design : ndarray of shape (n, p)
        Columns of the linear model, ordered by depth.
    values : ndarray of shape (n,)
        What is fitted.
    gap : ndarray of shape (n - 1,)
        From `gaps`.

    Returns
    -------
    float
        In [0, 0.995]; 0 where the likelihood is highest without correlation.
    """
    columns = np.column_stack([design, values])
    dof = len(values) - design.shape[1]

    def criterion(rho: float) -> float:
        # R of the QR decomposition holds the residual norm (last) and sqrt|X'X| (the others).
        diagonal = np.abs(np.diag(np.linalg.qr(whiten(columns, rho, gap), mode="r")))
        log_det = np.log1p(-(rho ** (2 * gap))).sum()
        return float(log_det + 2 * dof * np.log(diagonal[-1]) + 2 * np.log(diagonal[:-1]).sum())

    best = scipy.optimize.minimize_scalar(criterion, bounds=(0.0, MAX_RHO), method="bounded")
    # the minimum is flat: further digits depend on the processor
    return round(float(best.x), DIGITS) if best.fun < criterion(0.0) else 0.0


def quadratic_form(weights: Array, rho: float, gap: Array) -> float:
    """Return w' R w for the AR(1) correlation R, the variance of a weighted sum of planes.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Weights of the planes, ordered by depth.
    rho : float
        Correlation of two planes one median step apart.
    gap : ndarray of shape (n - 1,)
        From `gaps`.

    Returns
    -------
    float
        In units of the process's variance.
    """
    carried, cross = 0.0, 0.0
    for weight, before, r in zip(weights[1:], weights[:-1], rho**gap, strict=True):
        carried = r * (carried + before)
        cross += weight * carried
    return float(weights @ weights + 2 * cross)


def curve_dof(n_effective: float, degree: int) -> float:
    """Return the degrees of freedom of a variance around a curve with an estimated correlation."""
    return max(n_effective - 1 - degree - RHO_DOF, MIN_DOF)


def raised(rho: float, degree: int, n: int) -> float:
    """Return a correlation from restricted likelihood without its bias in short stacks.

    Parameters
    ----------
    rho : float
        From `estimate_rho`.
    degree : int
        Degree of the polynomial, or parameters of the mean less one.
    n : int
        Number of planes.
    """
    terms = (degree + 1) / (n * (1 - rho))
    return float(min(1 - (1 - rho) / (1 + RAISE * rho * terms**2), MAX_RHO))
