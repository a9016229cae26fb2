"""The depth profile: noise strengths plane by plane, what a reading found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.recipes import MW, ReadingOptions, Window
from cop_core.records.arrays import Matrix, Vector
from cop_core.records.pixels import PixelFacts
from cop_core.records.provenance import Provenance, zero_level

NOT_READ: Final = "not read (stopped before this plane)"
"""Reason of the planes that a stopped reading did not come to."""

NO_SIGNAL: Final = "no signal above the background"
"""Reason of the planes in which nothing stands out of the background."""

UNFAMILIAR: Final = "unlike what the network was trained on"
"""Begins the flag of planes most of whose crops are so."""

OUTSIDE: Final = "outside the depth window"
"""Begins the reason of planes that a window leaves out."""


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
        Mean and standard deviation over the plane's crops of each strength, in [0, 1].
        NaN where the plane is excluded. The SD is 0 for a single crop.
    n_crops : int
        Number of crops read; 0 where the plane is excluded.
    signal : float
        Mean of the picture's finite pixels in counts.
    reason : str
        Why the plane is excluded from fits; empty where it is not.
    flags : tuple of str
        Notes on a plane that is kept.
    saturated_fraction : float
        Fraction of the picture's pixels at the ceiling.
    strengths : ndarray of shape (n_crops, components)
        Strengths of every crop, in the order in which the plane was cut.
    uncertainty : ndarray of shape (components,)
        Predictive SD of each strength, mean over crops: how far off the network expects to be.
        Empty where the plane is excluded, NaN where the weights do not say.
    unfamiliar_fraction : float or None
        Fraction of the plane's crops that are unlike those of training; None where not known.
    span_counts : float
        Counts from what was read as 0 to what was read as 1; NaN where the plane is excluded.
    power_unit : str
        ``"mW"`` at the sample, or the unit of its file.
    pixels : PixelFacts
        What was found in its pixels.
    block_means : ndarray of shape (rows, columns)
        Means of the pixels over square blocks in counts, by which the tissue is known again; NaN
        where a pixel has no value.
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


@dataclass(frozen=True)
class DepthProfile:
    """Noise against depth of one stack.

    Attributes
    ----------
    name : str
        Protocol or stack name, used in tables, figures and the report's keys.
    components : tuple of str
        Names of the strengths, in the genome's order; the last is ``"clean"``.
    planes : tuple of PlaneEstimate
        One entry for each plane, excluded ones included.
    reading : ReadingOptions
        How it was read.
    window_um : (float or None, float or None), optional
        Depths that enter fits; None for all.
    provenance : Provenance or None
        Where stack and weights come from; None where that is not known.
    """

    name: str
    components: tuple[str, ...]
    planes: tuple[PlaneEstimate, ...]
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    window_um: Window | None = None
    provenance: Provenance | None = None

    def __len__(self) -> int:
        return len(self.planes)

    @property
    def depth_um(self) -> npt.NDArray[np.float64]:
        """Depth of every plane, shape (planes,)."""
        return np.array([p.depth_um for p in self.planes], dtype=np.float64)

    @property
    def power(self) -> npt.NDArray[np.float64]:
        """Power at every plane in `power_unit`, NaN where not stated, shape (planes,)."""
        return np.array([p.power for p in self.planes], dtype=np.float64)

    @property
    def power_unit(self) -> str:
        """``"mW"`` at the sample, or the file's own unit."""
        return self.planes[0].power_unit if self.planes else MW

    @property
    def power_mw(self) -> npt.NDArray[np.float64]:
        """Power in mW at every plane, NaN where it is not known in mW, shape (planes,)."""
        return in_mw(self.power, self.power_unit)

    @property
    def offset_counts(self) -> float | None:
        """The detector's zero level that it was read with; None where not known."""
        made = self.provenance
        if made is None:
            return self.reading.offset_counts
        return zero_level(self.reading, made.detector, made.image)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean strength, shape (planes, components)."""
        return np.array([p.mean for p in self.planes]).reshape(len(self), len(self.components))

    @property
    def sd(self) -> npt.NDArray[np.float64]:
        """SD over crops, shape (planes, components)."""
        return np.array([p.sd for p in self.planes]).reshape(len(self), len(self.components))

    @property
    def uncertainty(self) -> npt.NDArray[np.float64]:
        """Predictive SD, NaN where not known, shape (planes, components)."""
        known = np.full((len(self), len(self.components)), np.nan)
        for row, plane in zip(known, self.planes, strict=True):
            row[: len(plane.uncertainty)] = plane.uncertainty
        return known

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """True for the planes that enter fits, shape (planes,)."""
        return np.array([not p.reason for p in self.planes], dtype=bool)

    @property
    def left_out(self) -> dict[int, str]:
        """Reason of the planes that were read and enter no fits all the same, by index."""
        return {p.index: p.reason for p in self.planes if p.reason and p.n_crops}

    def of(self, component: str) -> npt.NDArray[np.float64]:
        """Return the mean strength of one component, shape (planes,)."""
        return np.asarray(self.mean[:, self.components.index(component)])


def in_mw(power: npt.NDArray[np.float64], unit: str) -> npt.NDArray[np.float64]:
    """Return a power in mW; NaN, of the same shape, where it is in another unit."""
    return power if unit == MW else np.full(power.shape, np.nan)


def distinct_names(profiles: Sequence[DepthProfile]) -> tuple[str, ...]:
    """Return the profiles' names with ``(2)``, ``(3)`` added to repeated ones.

    Nameless ones count as ``"stack"``.
    """
    names: list[str] = []
    for profile in profiles:
        base, count = profile.name or "stack", 1
        name = base
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return tuple(names)
