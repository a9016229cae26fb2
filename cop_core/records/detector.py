"""Records of a detector: the results of photon transfer for one channel of a microscope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ZeroFrom = Literal["dark frames", "given", "line"]
"""Source of a zero level: dark frames, the user, or the mean where the line has no variance."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    ci95: tuple[float, float]

    def within(self, other: float) -> bool:
        """Return whether a number lies in the interval."""
        low, high = self.ci95
        return low <= other <= high


@dataclass(frozen=True)
class MeasuredDetector:
    """A detector at one setting of its gain.

    Attributes
    ----------
    counts_per_photon : Estimate
        Slope of variance on mean: counts per photon, including the excess noise of the
        multiplication.
    zero_counts : Estimate
        Counts without light. From the line alone it is a lower limit: amplifier noise of SD a puts
        it a^2 / `counts_per_photon` higher.
    zero_from : {"dark frames", "given", "line"}
        Its source; if it was given, its interval has no width.
    amplifier_counts : Estimate or None
        SD of the counts without light, including rounding and dark counts; None if the zero level
        comes from the line, which cannot separate the two.
    along_line, across_lines : Estimate
        Correlation of a pixel's noise with that of the next pixel and of the next line.
    whole_photon_counts : Estimate
        Counts of one photon over all pixels that it reaches: larger than `counts_per_photon` if
        neighbouring pixels are correlated.
    floor_counts, ceiling_counts : float or None
        Counts at which values pile up and are cut off.
    full_scale_photons : Estimate or None
        Photons from zero to the ceiling.
    """

    counts_per_photon: Estimate
    zero_counts: Estimate
    zero_from: ZeroFrom
    amplifier_counts: Estimate | None
    along_line: Estimate
    across_lines: Estimate
    whole_photon_counts: Estimate
    floor_counts: float | None = None
    ceiling_counts: float | None = None
    full_scale_photons: Estimate | None = None
