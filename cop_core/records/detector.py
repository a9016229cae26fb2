"""What a detector does to light: what photon transfer found of one channel of a microscope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cop_core.recipes import DetectorRecipe
    from cop_core.records.provenance import Provenance

ZeroFrom = Literal["dark frames", "given", "line"]
"""Measured without light; stated by somebody; or where the line has no variance."""


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
    counts_a_photon : Estimate
        Slope of variance on mean: counts that a photon makes, the excess noise of the
        multiplication included.
    zero_counts : Estimate
        Counts without light. From the line alone it is a lower limit: an amplifier of SD a puts
        it a^2 / `counts_a_photon` higher.
    zero_from : {"dark frames", "given", "line"}
        Where it comes from; the interval of one that was given has no width.
    amplifier_counts : Estimate or None
        SD of the counts without light, rounding taken off, dark counts included; None where the
        zero comes from the line, which cannot tell the two apart.
    along_line, across_lines : Estimate
        Correlation of a pixel's noise with that of the next pixel and of the next line.
    whole_photon_counts : Estimate
        Counts of one photon over all pixels that it reaches: larger than `counts_a_photon` where
        neighbouring pixels correlate.
    floor_counts, ceiling_counts : float or None
        Where values pile up and are cut off.
    full_scale_photons : Estimate or None
        Photons from zero to the ceiling.
    """

    counts_a_photon: Estimate
    zero_counts: Estimate
    zero_from: ZeroFrom
    amplifier_counts: Estimate | None
    along_line: Estimate
    across_lines: Estimate
    whole_photon_counts: Estimate
    floor_counts: float | None = None
    ceiling_counts: float | None = None
    full_scale_photons: Estimate | None = None


@dataclass(frozen=True)
class TransferPoints:
    """Variance against mean of equally bright pixels; arrays of shape (points,).

    Attributes
    ----------
    mean, variance, error : ndarray
        In counts, and counts squared with its standard error.
    pixels : ndarray
        How many each stands for, over both halves of the movie.
    """

    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]
    error: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.float64]


@dataclass(frozen=True)
class PhotonTransfer:
    """A detector as a movie shows it.

    Attributes
    ----------
    name : str
        Of the movie.
    detector : MeasuredDetector
    points, dark : TransferPoints
        Of the movie and of the dark frames; the latter may be empty.
    line_zero_counts : float
        Mean at which the line has no variance.
    misfit : float
        By which factor points lie farther off the line than their errors say; intervals are
        widened by it.
    n_frames, n_dark_frames : int
        Used.
    moved_pixels : float
        Largest shift of a frame against the others.
    outlying, cut_off : float
        Share of the pixels left out: noisier than others as bright, and too near to the floor or
        the ceiling.
    notes : tuple of str
        What to know beside the numbers, sentences without a full stop.
    recipe : DetectorRecipe
        What was asked for.
    provenance : dict of str to Provenance
        Where movie and dark frames come from.
    """

    name: str
    detector: MeasuredDetector
    points: TransferPoints
    dark: TransferPoints
    line_zero_counts: float
    misfit: float
    n_frames: int
    n_dark_frames: int
    moved_pixels: float
    outlying: float
    cut_off: float
    notes: tuple[str, ...]
    recipe: DetectorRecipe
    provenance: dict[str, Provenance] = field(default_factory=dict)
