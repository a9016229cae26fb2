"""Straight lines over depth that meet at breaks, with AR(1) residuals.

`cop_core.power.layers` finds the layers of a tissue with these fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics import autocorrelation
from cop_core.statistics.autocorrelation import curve_dof, raised
from cop_core.statistics.significance import t95

Array = npt.NDArray[np.float64]
Intervals = tuple[tuple[float, float], ...]

_RANK: Final = 1e-8  # of the largest singular value: directions below are not determined


def _hinges(depth_um: Array, breaks_um: npt.ArrayLike) -> Array:
    """Return the depth below each break, 0 above it, shape (depths, breaks)."""
    return np.maximum(depth_um[:, None] - np.asarray(breaks_um, np.float64), 0.0)


def line_design(depth_um: Array, breaks_um: npt.ArrayLike = ()) -> Array:
    """Return columns for the value at 0, the first slope and each change of slope."""
    return np.column_stack([np.ones_like(depth_um), depth_um, _hinges(depth_um, breaks_um)])


class BreakSearch:
    """Whitened regression of values on a line that bends at some of many candidates.

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending.
    candidates_um : ndarray of shape (candidates,)
        Depths at which the line may bend.
    rhos : sequence of float
        Correlations of neighbouring planes to try.

    Attributes
    ----------
    spread : ndarray of shape (rhos,)
        Sum of squares of the whitened values around their mean, no line taken out.
    log_det : ndarray of shape (rhos,)
        Log determinant of the correlation matrix.
    """

    def __init__(
        self, depth_um: Array, values: Array, candidates_um: Array, rhos: Sequence[float] | Array
    ) -> None:
        self.candidates_um = candidates_um
        gap = autocorrelation.gaps(depth_um)
        line = line_design(depth_um)
        rows = np.column_stack([_hinges(depth_um, candidates_um), values - values.mean()])
        grams, spread = [], []
        for rho in rhos:
            q, _ = np.linalg.qr(autocorrelation.whiten(line, rho, gap))
            white = autocorrelation.whiten(rows, rho, gap)
            spread.append(white[:, -1] @ white[:, -1])
            white -= q @ (q.T @ white)
            grams.append(white.T @ white)
        self._gram = np.array(grams)
        self.spread = np.array(spread)
        self.log_det = np.array([np.log1p(-(rho ** (2 * gap))).sum() for rho in rhos])

    def left(self, choices: npt.NDArray[np.intp]) -> Array:
        """Return the residual sum of squares of lines that bend at several candidates at once.

        Parameters
        ----------
        choices : ndarray of int, shape (choices, breaks)
            Indices into `candidates_um`.

        Returns
        -------
        ndarray of shape (rhos, choices)
            Not negative.
        """
        gram = self._gram[:, choices[:, :, None], choices[:, None, :]]
        right = self._gram[:, choices, -1][..., None]
        explained = (right * np.linalg.solve(gram, right)).sum(axis=(-2, -1))
        return np.asarray(np.maximum(self._gram[:, -1, -1][:, None] - explained, 0.0))

    def interval_um(
        self, choices: npt.NDArray[np.intp], likely: npt.NDArray[np.bool_], *, margin_um: float = 0
    ) -> Intervals:
        """Return for every break the range of depths over the likely choices, plus a margin."""
        depth_um = self.candidates_um[choices[likely]]
        low, high = depth_um.min(axis=0) - margin_um, depth_um.max(axis=0) + margin_um
        return tuple(zip(low.tolist(), high.tolist(), strict=True))


@dataclass(frozen=True)
class PiecewiseFit:
    """Straight pieces that join at breaks, fitted by AR(1) generalised least squares.

    Attributes
    ----------
    depth_um : ndarray of shape (n,)
        Depths of the fit in µm, ascending.
    breaks_um : tuple of float
        Depths at which the slope changes, ascending.
    breaks_ci95_um : tuple of (float, float)
        Their 95 % intervals, from the likelihood.
    coefficients : ndarray of shape (2 + breaks,)
        Value at depth 0, first slope, changes of slope at the breaks; per µm.
    covariance : ndarray of shape (2 + 2 breaks, 2 + 2 breaks)
        Of the coefficients and, behind them, of the breaks; 0 for breaks taken as known.
    rho : float
        Correlation of neighbouring planes around the lines.
    residual : ndarray of shape (n,)
        Residuals around the lines.
    """

    depth_um: Array
    breaks_um: tuple[float, ...]
    breaks_ci95_um: Intervals
    coefficients: Array
    covariance: Array
    rho: float
    residual: Array

    @property
    def dof(self) -> float:
        """Degrees of freedom: the effective number of independent planes, less the parameters."""
        worth = len(self.depth_um) * (1 - self.rho) / (1 + self.rho)
        return curve_dof(worth, len(self.covariance) - 1)

    @cached_property
    def t95(self) -> float:
        """Half width of a 95 % interval in standard errors."""
        return t95(self.dof)

    @property
    def slopes_per_um(self) -> Array:
        """Slope of every piece, from the top."""
        return np.cumsum(self.coefficients[1:])

    @property
    def slopes_ci95_per_um(self) -> Array:
        """Their 95 % intervals, shape (pieces, 2)."""
        k = len(self.breaks_um) + 1
        sums = np.tril(np.ones((k, k)))
        se = np.sqrt(np.diag(sums @ self.covariance[1 : k + 1, 1 : k + 1] @ sums.T))
        return self.slopes_per_um[:, None] + self.t95 * se[:, None] * [-1.0, 1.0]

    def at(self, depth_um: npt.ArrayLike) -> Array:
        """Return the lines at depths in µm, the outer ones continued; same shape."""
        depth = np.asarray(depth_um, np.float64)
        return np.asarray(line_design(depth, self.breaks_um) @ self.coefficients)

    def se_at(self, depth_um: npt.ArrayLike, anchor_um: float | None = None) -> Array:
        """Return the standard error of the lines at depths in µm, or of the rise from an anchor."""
        gradient = self._gradient(np.asarray(depth_um, np.float64))
        if anchor_um is not None:
            gradient = gradient - self._gradient(np.array([anchor_um]))
        variance = np.einsum("ni,ij,nj->n", gradient, self.covariance, gradient)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def _gradient(self, depth_um: Array) -> Array:
        """Return the derivative of the lines by coefficients and breaks."""
        moves = -self.coefficients[2:] * (depth_um[:, None] > np.asarray(self.breaks_um))
        return np.hstack([line_design(depth_um, self.breaks_um), moves])

    def with_shift(self, shift: Array) -> PiecewiseFit:
        """Add an error common to all planes, which moves the coefficients by one SD."""
        covariance = self.covariance.copy()
        covariance[: len(shift), : len(shift)] += np.outer(shift, shift)
        return replace(self, covariance=covariance)

    def scaled(self, factor: float, shift: float, shift_se: float) -> PiecewiseFit:
        """Return the lines times a factor plus an uncertain shift."""
        coefficients = factor * self.coefficients
        coefficients[0] += shift
        scale = np.full(len(self.covariance), factor)
        scale[len(coefficients) :] = 1.0  # the breaks stay where they are
        covariance = self.covariance * np.outer(scale, scale)
        covariance[0, 0] += shift_se**2
        return replace(self, coefficients=coefficients, covariance=covariance)


def fit_pieces(
    depth_um: Array,
    values: Array,
    breaks_um: tuple[float, ...] = (),
    breaks_ci95_um: Intervals = (),
    *,
    known_rho: float | None = None,
) -> PiecewiseFit:
    """Fit lines that meet at given breaks.

    Parameters
    ----------
    depth_um, values : ndarray of shape (n,)
        Depth ascending.
    breaks_um, breaks_ci95_um : tuple
        Where they meet, with intervals.
    known_rho : float, optional
        Correlation of neighbouring planes, else estimated around the lines.
    """
    design = line_design(depth_um, breaks_um)
    (n, p), gap = design.shape, autocorrelation.gaps(depth_um)
    if known_rho is None:
        known_rho = raised(autocorrelation.estimate_rho(design, values, gap), p - 1, n)
    white = autocorrelation.whiten(np.column_stack([design, values]), known_rho, gap)
    coefficients = np.asarray(np.linalg.lstsq(white[:, :-1], white[:, -1], rcond=None)[0])
    left = white[:, -1] - white[:, :-1] @ coefficients
    covariance = np.zeros((p + len(breaks_um),) * 2)
    residual = values - design @ coefficients
    fit = PiecewiseFit(
        depth_um, breaks_um, breaks_ci95_um, coefficients, covariance, known_rho, residual
    )
    gradient = autocorrelation.whiten(fit._gradient(depth_um), known_rho, gap)
    free = p + len(breaks_um)
    inverse = np.linalg.pinv(gradient[:, :free], rcond=_RANK)
    covariance[:free, :free] = float(left @ left) / max(n - free, 1) * inverse @ inverse.T
    return fit
