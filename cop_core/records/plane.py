"""Record of the reading of one plane."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cop_core.recipes import MW
from cop_core.records.arrays import Matrix, Vector
from cop_core.records.pixels import PixelFacts


@dataclass(frozen=True)
class PlaneEstimate:
    """Strengths read from one plane.

    Attributes
    ----------
    index : int
        Position of the plane in its stack.
    depth_um, power : float
        NaN where not stated.
    mean, sd : ndarray of shape (components,)
        Mean and standard deviation over the plane's crops of each strength, in [0, 1]. NaN if the
        plane is left out. The SD is 0 for a single crop.
    n_crops : int
        Number of crops read; 0 if the plane is left out.
    signal : float
        Mean of the image's finite pixels in counts.
    reason : str
        Why the plane is left out of fits; empty if it is not.
    flags : tuple of str
        Notes on a plane that is kept.
    saturated_fraction : float
        Fraction of the image's pixels at the ceiling.
    strengths : ndarray of shape (n_crops, components)
        Strengths of every crop, in the order in which the plane was cut.
    uncertainty : ndarray of shape (components,)
        Predictive SD of each strength, mean over crops: how far off the network expects to be.
        Empty if the plane is left out, NaN if the weights do not provide it.
    unfamiliar_fraction : float or None
        Fraction of the plane's crops that are unlike those in training; None if not known.
    span_counts : float
        Distance between the counts mapped to 0 and to 1; NaN if the plane is left out.
    power_unit : str
        ``"mW"`` at the sample, or the unit of its file.
    pixels : PixelFacts
        Findings in its pixels.
    block_means : ndarray of shape (rows, columns)
        Means of the pixels over square blocks in counts, used to recognise the tissue; NaN if a
        pixel has no value.
    """

    index: int
    depth_um: float
    power: float
    mean: Vector
    sd: Vector
    n_crops: int
    signal: float
    reason: str = ""
    flags: tuple[str, ...] = ()
    saturated_fraction: float = 0.0
    strengths: Matrix = field(default_factory=lambda: np.empty((0, 0)))
    uncertainty: Vector = field(default_factory=lambda: np.empty(0))
    unfamiliar_fraction: float | None = None
    span_counts: float = float("nan")
    power_unit: str = MW
    pixels: PixelFacts = field(default_factory=PixelFacts)
    block_means: Matrix = field(default_factory=lambda: np.empty((0, 0)))


def power_text(power: float, unit: str, *, to: float | None = None) -> str:
    """Return a power, or a range of powers, in words: ``"5 to 17.75 mW"``."""
    ends = dict.fromkeys(f"{end:.4g}" for end in (power, to) if end is not None)
    return f"{' to '.join(ends)} {unit}"


def in_mw(power: npt.NDArray[np.float64], unit: str) -> npt.NDArray[np.float64]:
    """Return a power in mW; NaN, of the same shape, if it is in another unit."""
    return power if unit == MW else np.full(power.shape, np.nan)
