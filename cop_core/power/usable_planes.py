"""Which planes say something about attenuation, and why the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.statistics import autocorrelation
from cop_core.statistics.depth_window import Window, limits_um

if TYPE_CHECKING:
    from cop_core.power.bright_signal import BrightSignal
    from cop_core.power.offset import Offset

Array = npt.NDArray[np.float64]

FAINT: Final = "its signal is not ten times its error"
OUTLIER: Final = "far from its neighbours"
OUTSIDE: Final = "outside the depths asked for"
NO_POWER: Final = "no power"

_SNR: Final = 10.0
_OUTLIER_SDS: Final = 5.0
_OUTLIER_LEAST: Final = 0.1  # of the log signal: what is less does no harm
_SD_OF_MAD: Final = 1.4826


def log_gain(signal: BrightSignal, offset_counts: float, order: int) -> Array:
    """Return log(S / P^n) of every plane, NaN where it has none.

    Parameters
    ----------
    signal : BrightSignal
        The planes.
    offset_counts : float
        The detector's zero level.
    order : int
        Photons absorbed at once, n.
    """
    counts = signal.bright_counts - offset_counts
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.log(counts) - order * np.log(signal.power_mw)
    return np.where(np.isfinite(gain), gain, np.nan)


def reasons_of(
    signal: BrightSignal, offset: Offset, order: int, window_um: Window | None
) -> tuple[str, ...]:
    """Say for every plane why it is left out of the fit; empty where it is not.

    Parameters
    ----------
    signal : BrightSignal
        The planes.
    offset : Offset
        The detector's zero level.
    order : int
        Photons absorbed at once.
    window_um : Window or None
        Depths to use, shallowest and deepest; None where open.
    """
    error = np.maximum(signal.noise_counts, offset.error_counts)
    low, high = limits_um(window_um) if window_um else (-np.inf, np.inf)
    doubts = {
        NO_POWER: ~(signal.power_mw > 0),
        OUTSIDE: ~((signal.depth_um >= low) & (signal.depth_um <= high)),
        FAINT: ~(signal.bright_counts - offset.counts > _SNR * error),
    }
    reasons = list(signal.reasons)
    for text, holds in doubts.items():
        reasons = [old or (text if bad else "") for old, bad in zip(reasons, holds, strict=True)]
    kept = np.array([not reason for reason in reasons], dtype=bool)
    far = _outliers(signal.depth_um[kept], log_gain(signal, offset.counts, order)[kept])
    for index in np.flatnonzero(kept)[far]:
        reasons[index] = OUTLIER
    return tuple(reasons)


def _outliers(depth_um: Array, values: Array) -> npt.NDArray[np.bool_]:
    """Return which planes no line through their neighbours explains.

    A plane is compared with the lines through the two planes above it, the two below and one on
    either side, and the best counts, so that neither a slope nor a break makes an outlier.
    """
    far = np.zeros(len(values), dtype=bool)
    if len(values) < autocorrelation.MIN_PLANES:
        return far
    order = np.argsort(depth_um, kind="stable")
    y = values[order]
    away = np.full((3, len(y)), np.inf)
    bend = np.abs(np.diff(y, 2))  # of three planes in a row, the outer ones' bend by the inner
    away[0, 2:], away[1, :-2], away[2, 1:-1] = bend, bend, bend / 2
    sd = _SD_OF_MAD * float(np.median(bend)) / np.sqrt(6)  # variance of a second difference: 6
    far[order] = away.min(axis=0) > max(_OUTLIER_SDS * sd, _OUTLIER_LEAST)
    return far


def commonest(reasons: tuple[str, ...]) -> str:
    """Return the reason given most often."""
    given = [reason for reason in reasons if reason]
    return max(set(given), key=given.count) if given else "too few planes"
