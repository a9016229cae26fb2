"""Errors of planes imaged again: their size, and their correlation between neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cop_core.statistics import autocorrelation
from cop_core.statistics.contrast import mean_of_near, pseudo_residuals

Array = npt.NDArray[np.float64]


def local_variance(depth_um: Array, values: Array) -> Array:
    """Return the variance of independent errors along depth, from pseudo-residuals.

    Parameters
    ----------
    depth_um : ndarray of shape (n,)
    values : ndarray of shape (..., n)

    Returns
    -------
    ndarray of shape (..., n)
        Means over 7 planes; beyond the ends, the end values are repeated.
    """
    squares = (values @ pseudo_residuals(depth_um).T) ** 2
    squares[..., 0], squares[..., -1] = squares[..., 1], squares[..., -2]
    return mean_of_near(squares)


@dataclass(frozen=True)
class PlaneErrors:
    """Normal errors of planes, correlated as AR(1) along depth.

    Attributes
    ----------
    depth_um, variance : ndarray of shape (n,)
        Depth ascending.
    rho : float
        Correlation of planes one median step apart; 0 where errors are independent.
    """

    depth_um: Array
    variance: Array
    rho: float = 0.0

    def drawn(self, samples: int, rng: np.random.Generator) -> Array:
        """Return errors of stacks imaged again, shape (samples, n)."""
        white = rng.standard_normal((samples, len(self.variance)))
        return np.asarray(self._alike(white) * np.sqrt(self.variance))

    def estimated_again(self, drawn: Array) -> Array:
        """Return the variances (samples, n) as estimated from drawn stacks."""
        rho = self.rho  # pseudo-residuals are smaller for correlated errors
        return local_variance(self.depth_um, drawn) / (1 - (4 * rho - rho**2) / 3)

    def variance_of(self, rows: Array) -> Array:
        """Return the variances (m,) of sums of errors with weights of shape (m, n)."""
        return np.asarray(rows**2 @ self.variance * self.inflation(rows))

    def inflation(self, rows: Array) -> Array:
        """Return the ratio (m,) of such variances to those of independent errors."""
        if not self.rho:
            return np.ones(len(rows))
        weighted = rows * np.sqrt(self.variance)
        root = self._alike(np.eye(len(self.variance)))
        return np.asarray(((weighted @ root.T) ** 2).sum(axis=1) / (weighted**2).sum(axis=1))

    def shared(self, share: Array, rho: float) -> PlaneErrors:
        """Return errors with a share (n,) of the variance and another correlation."""
        return replace(self, variance=share * self.variance, rho=rho)

    @property
    def spread(self) -> float:
        """Mean contribution of the errors to the variance of the planes around their mean."""
        n = len(self.variance)
        gap = autocorrelation.gaps(self.depth_um)
        of_mean = autocorrelation.quadratic_form(np.ones(n), self.rho, gap) / n
        return float(self.variance.mean() * (n - of_mean) / (n - 1))

    def _alike(self, white: Array) -> Array:
        """Return rows of independent errors with neighbours correlated, keeping the SD."""
        return autocorrelation.colour(white, self.rho, autocorrelation.gaps(self.depth_um))
