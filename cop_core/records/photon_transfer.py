"""Records of a movie's photon transfer: the detector, and the points of its line."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cop_core.recipes import DetectorRecipe
from cop_core.records.detector import MeasuredDetector
from cop_core.records.provenance import Provenance


@dataclass(frozen=True)
class TransferPoints:
    """Variance against mean of equally bright pixels; arrays of shape (points,).

    Attributes
    ----------
    mean, variance, error : ndarray
        In counts, and counts squared with its standard error.
    pixels : ndarray
        Number of pixels in each point, over both halves of the movie.
    """

    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]
    error: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.float64]


@dataclass(frozen=True)
class PhotonTransfer:
    """A detector as measured from a movie.

    Attributes
    ----------
    name : str
        Of the movie.
    detector : MeasuredDetector
    points, dark : TransferPoints
        Points of the movie and of the dark frames; the latter may be empty.
    line_zero_counts : float
        Mean at which the line has no variance.
    misfit : float
        Distance of the points from the line in multiples of their errors; intervals are widened by
        it.
    n_frames, n_dark_frames : int
        Used.
    moved_pixels : float
        Largest shift of a frame against the others.
    outlying, cut_off : float
        Shares of the pixels left out: noisier than others of the same brightness, and too close to
        the floor or the ceiling.
    notes : tuple of str
        Caveats, sentences without a full stop.
    recipe : DetectorRecipe
        What was asked for.
    provenance : dict of str to Provenance
        Origin of movie and dark frames.
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
