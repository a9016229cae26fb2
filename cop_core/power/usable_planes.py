"""The detector's zero level, and the planes bright enough above it to measure attenuation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError, option
from cop_core.recipes import Window
from cop_core.statistics import autocorrelation
from cop_core.statistics.depths import limits_um

if TYPE_CHECKING:
    from cop_core.power.bright_signal import BrightSignal

Array = npt.NDArray[np.float64]

FAINT: Final = "signal less than ten times its error"
OUTLIER: Final = "far from its neighbours"
OUTSIDE: Final = "outside the requested depths"
NO_POWER: Final = "no power"

_SNR: Final = 10.0
_OUTLIER_SDS: Final = 5.0
_OUTLIER_LEAST: Final = 0.1  # of the log signal: less does no harm
_SD_OF_MAD: Final = 1.4826
_RANGE: Final = 100.0  # brightest signal over the error of the offset, at least


@dataclass(frozen=True)
class Offset:
    """Counts without light, the detector's zero level; the error is 0 if it was given."""

    counts: float
    error_counts: float = 0.0

    @property
    def estimated(self) -> bool:
        """Whether it was estimated from the stack."""
        return self.error_counts > 0


def find_offset(signal: BrightSignal, given_counts: float | None) -> Offset:
    """Return the given or known offset, or else the dark level of the dimmest plane.

    Its error is taken as the distance of that level from the plane's mean: if light is left in the
    dimmest plane, structure shows, and even the darkest structure may contain light.

    Raises
    ------
    InputError
        If the offset given is not finite, or none is given and even the dimmest plane holds
        more than 1 % of the brightest one's light.
    """
    given_counts = signal.offset_counts if given_counts is None else given_counts
    if given_counts is not None:
        if not math.isfinite(given_counts):
            raise InputError(
                f"the zero level cannot be {given_counts} counts", advice="use a finite number"
            )
        return Offset(float(given_counts))
    means = np.where([not r for r in signal.reasons], signal.mean_counts, np.nan)
    if not np.isfinite(means).any():
        raise InputError("no plane can be used", where=signal.name)
    dimmest = int(np.nanargmin(means))
    dark = float(signal.dark_counts[dimmest])
    error = max(float(means[dimmest]) - dark, float(signal.noise_counts[dimmest]))
    if not float(np.nanmax(signal.bright_counts)) - dark >= _RANGE * error:
        raise InputError(
            "the detector's zero level cannot be estimated: light reaches every plane of the stack",
            where=signal.name,
            advice=f"set it with {option('offset_counts')}: the mean of a dark frame",
        )
    return Offset(dark, error)


def log_gain(signal: BrightSignal, offset_counts: float, order: int) -> Array:
    """Return log(S / P^n) of every plane, n photons absorbed at once; NaN where it has none."""
    counts = signal.bright_counts - offset_counts
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.log(counts) - order * np.log(signal.power)
    return np.where(np.isfinite(gain), gain, np.nan)


def reasons_of(
    signal: BrightSignal, offset: Offset, order: int, window_um: Window | None
) -> tuple[str, ...]:
    """Return for every plane why it is left out of the fit; empty if it is not."""
    error = np.maximum(signal.noise_counts, offset.error_counts)
    low, high = limits_um(window_um) if window_um else (-np.inf, np.inf)
    doubts = {
        NO_POWER: ~(signal.power > 0),
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
    """Return the planes that lie on no line through their neighbours.

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
