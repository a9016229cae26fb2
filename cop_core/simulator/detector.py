"""From photons to counts: photomultiplier, amplifier and digitizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError

if TYPE_CHECKING:
    from cop_core.simulator.spheres import FloatArray


@dataclass(frozen=True)
class Detector:
    """A photomultiplier read by an analogue-to-digital converter.

    Each photon gives a charge drawn from a gamma distribution of mean 1 and variance F - 1, so
    that n photons of a Poisson mean m give variance F m. With gain g in counts a photon,

        mean = offset + g m,   variance = F g (mean - offset) + amplifier^2 + 1/12,

    the photon transfer line: its slope is g F and 1/12 is the rounding.

    Attributes
    ----------
    gain_counts : float
        Mean counts of one photon, g.
    excess_factor : float
        Excess noise factor F of the multiplication, at least 1; about 1.2 for GaAsP tubes.
    offset_counts : float
        Counts without light.
    amplifier_counts : float
        SD of the amplifier's Gaussian noise, in counts.
    dark_photons : float
        Mean dark counts and stray photons per pixel.
    bits : int
        Bits of the converter, 1 to 16.

    Raises
    ------
    InputError
        If an attribute makes no sense.
    """

    gain_counts: float = 12.0
    excess_factor: float = 1.2
    offset_counts: float = 100.0
    amplifier_counts: float = 4.0
    dark_photons: float = 0.01
    bits: int = 12

    def __post_init__(self) -> None:
        if self.excess_factor < 1 or self.gain_counts <= 0 or not 1 <= self.bits <= 16:
            raise InputError(
                f"no detector has a gain of {self.gain_counts} counts, an excess noise factor of "
                f"{self.excess_factor} and {self.bits} bits",
                advice="Give a gain above 0, a factor of at least 1 and 1 to 16 bits",
            )

    @property
    def max_counts(self) -> int:
        """Largest number the converter gives."""
        return int(2**self.bits) - 1

    def expected(self, photons: npt.NDArray[np.floating]) -> FloatArray:
        """Noise-free counts for mean photons per pixel; neither rounded nor clipped."""
        counts = self.offset_counts + self.gain_counts * (photons + self.dark_photons)
        return np.asarray(counts, np.float32)

    def noise_counts(self, photons: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """SD of the counts, in counts, for mean photons per pixel."""
        electrons = np.asarray(photons, np.float64) + self.dark_photons
        variance = self.excess_factor * self.gain_counts**2 * electrons
        return np.asarray(np.sqrt(variance + self.amplifier_counts**2 + 1 / 12), np.float64)

    def read(
        self, photons: npt.NDArray[np.floating], rng: np.random.Generator
    ) -> npt.NDArray[np.uint16]:
        """Read a plane once.

        Parameters
        ----------
        photons : ndarray of shape (height, width)
            Mean photons per pixel.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape (height, width)
            Counts, rounded and clipped to the converter's range.
        """
        arrived = rng.poisson(photons + self.dark_photons)
        counts = self.gain_counts * self._multiply(arrived, rng)
        counts += self.amplifier_counts * rng.standard_normal(counts.shape)
        counts += self.offset_counts
        return np.clip(np.rint(counts), 0, self.max_counts).astype(np.uint16)

    def _multiply(
        self, arrived: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Sum of the photons' charges: n gammas of shape k add up to one of shape n k."""
        if self.excess_factor == 1:
            return arrived.astype(np.float64)
        shape = 1 / (self.excess_factor - 1)
        return rng.standard_gamma(arrived * shape) / shape
