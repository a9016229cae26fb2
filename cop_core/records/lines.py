"""Records of lines and curves over depth, and of detector properties from strengths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.records.arrays import UNKNOWN, Interval

_NAN = float("nan")

LEAST_FOR_A_LINE: Final = 3
LEAST_PLANES: Final = 5
"""Fewest planes with a stated error: pseudo-residuals of 3 or 4 planes understate it by half."""
NEEDS_PLANES: Final = f"a slope needs {LEAST_FOR_A_LINE} planes or more"
FEW_PLANES: Final = f"fewer than {LEAST_PLANES} planes: no error can be stated"


def what_few_lack(n_planes: int) -> str:
    """Return what cannot be computed from so few planes; empty if they are enough."""
    if n_planes < LEAST_FOR_A_LINE:
        return NEEDS_PLANES
    return FEW_PLANES if n_planes < LEAST_PLANES else ""


@dataclass(frozen=True)
class SlopeFit:
    """How a strength changes with depth.

    The slope is that of ordinary least squares, as in the paper: a weighted mean derivative,
    whether or not the planes follow a line. Its standard error, interval and p value are for this
    tissue imaged again (`cop_core.statistics.contrast`). NaN means undefined, with the reason in
    `note`.

    Attributes
    ----------
    slope_per_um, intercept : float
        Change of strength per µm, and strength of the line at depth 0.
    r2, r2_ci95 : float, (float, float)
        Share of the variance that a straight line explains, and its 95 % interval. A lower limit of
        0 means that only the upper one is known.
    se, slope_ci95, p_value, dof
        Standard error, 95 % interval, two-sided p and degrees of freedom of the slope.
    reading_limit_per_um : float
        Slope that a bias of the readings as large as their stated uncertainty could cause; NaN if
        the weights state none.
    se_ols, ci95_ols, p_value_ols
        The same from the residuals of the straight line, as in the paper.
    n : int
        Planes in the fit.
    error_correlation : float
        Of close neighbouring planes; 0 if errors are independent.
    note : str
        Anything special about this fit; otherwise empty.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 4.
    """

    slope_per_um: float = _NAN
    intercept: float = _NAN
    r2: float = _NAN
    r2_ci95: Interval = UNKNOWN
    se: float = _NAN
    slope_ci95: Interval = UNKNOWN
    p_value: float = _NAN
    dof: float = _NAN
    reading_limit_per_um: float = _NAN
    se_ols: float = _NAN
    ci95_ols: Interval = UNKNOWN
    p_value_ols: float = _NAN
    n: int = 0
    error_correlation: float = 0.0
    note: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a line at all."""
        return bool(np.isfinite(self.slope_per_um))

    def at(self, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the line's strength at depths in µm, same shape."""
        return np.asarray(self.intercept + self.slope_per_um * np.asarray(depth_um, np.float64))


@dataclass(frozen=True)
class Band:
    """A curve along depth, smoothed by local lines, with its 95 % band for all depths at once.

    Attributes
    ----------
    depth_um : ndarray of shape (points,)
        Empty if there are too few planes, or too little depth, for a smooth.
    value, low, high : ndarray of shape (points,)
    """

    depth_um: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    value: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    low: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    high: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def from_um(self) -> float:
        """Shallowest depth at which the band excludes 0; NaN if it never does."""
        apart = np.flatnonzero((self.low > 0) | (self.high < 0))
        return float(self.depth_um[apart[0]]) if len(apart) else _NAN


@dataclass(frozen=True)
class Bend:
    """The depth at which a smoothed curve changes its slope most.

    NaN means undefined, with the reason in `note`.

    Attributes
    ----------
    depth_um, ci95_um : float, (float, float)
        Depth of the bend, and its 95 % interval from a bootstrap.
    p_value : float
        p of the hypothesis that there is no bend at any depth (studentised bootstrap of the
        largest).
    shallow_slope_per_um, deep_slope_per_um : float
        Slopes of the smooth above and below the bend.
    note : str
        Anything special about this bend; otherwise empty.
    """

    depth_um: float = _NAN
    ci95_um: Interval = UNKNOWN
    p_value: float = _NAN
    shallow_slope_per_um: float = _NAN
    deep_slope_per_um: float = _NAN
    note: str = ""


@dataclass(frozen=True)
class Photons:
    """Detector properties derived from strengths, plane by plane.

    The full scale of a plane is R counts. A Poisson strength s means 4 / s^2 photons at full scale,
    so a photon is R s^2 / 4 counts, the slope of a photon transfer curve, including excess noise. A
    Gaussian strength s is amplifier noise of SD R s / 2 counts. SDs are propagated from those of
    the strengths to first order.

    Attributes
    ----------
    at_full_scale : ndarray of shape (planes,)
        Photons at the top of a plane's range. NaN, here and in `counts`, if the plane is left out,
        the detector's zero level is not known, or the uncertainty of s is too large compared with
        s.
    counts, counts_sd : ndarray of shape (planes,)
        Counts per photon.
    amplifier_counts, amplifier_counts_sd : ndarray of shape (planes,)
        SD of the amplifier's noise in counts; NaN if the plane is left out.
    """

    at_full_scale: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]
    counts_sd: npt.NDArray[np.float64]
    amplifier_counts: npt.NDArray[np.float64]
    amplifier_counts_sd: npt.NDArray[np.float64]
