"""Centred log-ratios: they reveal slopes that arise only because strengths sum to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics.slope import fit_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cop_core.records import DepthProfile, SlopeFit

CLR_FLOOR: Final = 1e-3
"""Strengths below this (0.1 %, finer than an estimator can read) count as this."""


def clr(strengths: npt.ArrayLike, *, floor: float = CLR_FLOOR) -> npt.NDArray[np.float64]:
    """Return centred log-ratios, the logarithm of each strength over their geometric mean.

    Parameters
    ----------
    strengths : array_like of shape (..., components)
        Strengths in [0, 1] that sum to 1 along the last axis.
    floor : float
        Smaller strengths are raised to it first, since the logarithm of 0 is not finite.

    Returns
    -------
    ndarray of shape (..., components)
        Sums to 0 along the last axis; NaN rows stay NaN.

    References
    ----------
    .. [1] J. Aitchison, "The statistical analysis of compositional data", J. R. Stat. Soc. B
       44, 139 (1982).
    """
    log = np.log(np.maximum(np.asarray(strengths, np.float64), floor))
    return np.asarray(log - log.mean(axis=-1, keepdims=True))


def log_ratio_fits(profile: DepthProfile) -> dict[str, SlopeFit]:
    """Fit a line to each component's centred log-ratio over the kept planes."""
    return fit_profile(profile, clr(profile.mean))


def sign_changes(
    fits: Mapping[str, SlopeFit], log_ratios: Mapping[str, SlopeFit], *, level: float = 0.05
) -> tuple[str, ...]:
    """Return the components whose slope clearly changes sign once closure is removed.

    Parameters
    ----------
    fits : mapping of str to SlopeFit
        Lines through the strengths, from `fit_profile`.
    log_ratios : mapping of str to SlopeFit
        Lines through the centred log-ratios, from `log_ratio_fits`.
    level : float
        Both slopes must differ from 0 with a smaller p.
    """
    return tuple(
        component
        for component, fit in fits.items()
        if fit.slope_per_um * log_ratios[component].slope_per_um < 0
        and fit.p_value < level
        and log_ratios[component].p_value < level
    )
