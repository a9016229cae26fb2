"""The detector's zero level: given, or told from planes that hold next to no light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.errors import InputError

if TYPE_CHECKING:
    from cop_core.power.bright_signal import BrightSignal

_RANGE: Final = 100.0  # brightest signal over the error of the offset, at least


@dataclass(frozen=True)
class Offset:
    """Counts without light.

    Attributes
    ----------
    counts : float
        The zero level in counts.
    error_counts : float
        Its uncertainty; 0 where it was given.
    """

    counts: float
    error_counts: float = 0.0

    @property
    def estimated(self) -> bool:
        """Whether it was estimated from the stack."""
        return self.error_counts > 0


def find_offset(signal: BrightSignal, given_counts: float | None) -> Offset:
    """Return the offset that was given, or the dark level of the dimmest plane.

    Its error is taken as the distance of that level from the plane's mean: where light is left
    in the dimmest plane, structure shows in it, and the darkest structure may hold light too.

    Parameters
    ----------
    signal : BrightSignal
        The planes.
    given_counts : float or None
        The zero level, where known.

    Returns
    -------
    Offset
        In counts.

    Raises
    ------
    InputError
        If the offset given is not finite, or none is given and even the dimmest plane holds
        more than a hundredth of the brightest one's light.
    """
    if given_counts is not None:
        if not math.isfinite(given_counts):
            raise InputError(f"an offset of {given_counts} counts", advice="Give a finite number")
        return Offset(float(given_counts))
    means = np.where([not r for r in signal.reasons], signal.mean_counts, np.nan)
    if not np.isfinite(means).any():
        raise InputError("no plane can be used", where=signal.name)
    dimmest = int(np.nanargmin(means))
    dark = float(signal.dark_counts[dimmest])
    error = max(float(means[dimmest]) - dark, float(signal.noise_counts[dimmest]))
    if not float(np.nanmax(signal.bright_counts)) - dark >= _RANGE * error:
        raise InputError(
            "the detector's offset cannot be told: light reaches every plane of the stack",
            where=signal.name,
            advice="Give it with --offset-counts: the mean of a frame without light",
        )
    return Offset(dark, error)
