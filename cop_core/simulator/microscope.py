"""From fluorophore to counts: three-photon excitation, photomultiplier and digitizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from cop_core.errors import InputError
from cop_core.simulator.anatomy import WHITE_MATTER_UM
from cop_core.simulator.drawing import FloatArray

if TYPE_CHECKING:
    from cop_core.simulator.phantom import Phantom

Counts: TypeAlias = npt.NDArray[np.uint16]
Exposure: TypeAlias = tuple[Counts, FloatArray]
"""A plane as read, and its noise-free counts: offset included, neither rounded nor clipped."""


@dataclass(frozen=True)
class Optics:
    """Excitation, attenuation and resolution of the microscope.

    A fluorophore of concentration 1 at the surface gives `photons` detected photons per pixel at
    `reference_mw`. Elsewhere the signal is

        S(z) = photons (P / P_ref)^n exp(-n tau(z)),   tau(z) = integral of dz' / l(z'),

    with n = 3 for three-photon excitation and l the effective attenuation length: the focus is
    fed by ballistic light alone, and the emission is collected whether scattered or not [1]_.

    Attributes
    ----------
    photons : float
        Mean detected photons per pixel at concentration 1, surface and reference power.
    reference_mw : float
        Power at the surface to which `photons` refers.
    order : int
        Number of photons absorbed simultaneously, n.
    length_um : float
        Effective attenuation length in grey matter; about 300 µm at 1300 nm.
    white_matter_length_um : float
        The same in the external capsule.
    white_matter_um : tuple of float
        Upper and lower border of the external capsule.
    psf_um : float
        SD of the lateral point spread function at the surface.
    psf_growth_um_per_mm : float
        Growth of that SD per mm of depth (aberration).
    haze : float
        Fraction of the signal, per attenuation length, that comes from around the focus.
    haze_um : float
        SD of that haze.

    Raises
    ------
    InputError
        If an attribute makes no sense.

    References
    ----------
    .. [1] T. Wang et al., "Three-photon imaging of mouse brain structure and function through
       the intact skull", Nature Methods 15:789 (2018).
    """

    photons: float = 60.0
    reference_mw: float = 5.0
    order: int = 3
    length_um: float = 300.0
    white_matter_length_um: float = 150.0
    white_matter_um: tuple[float, float] = WHITE_MATTER_UM
    psf_um: float = 0.5
    psf_growth_um_per_mm: float = 0.8
    haze: float = 0.05
    haze_um: float = 25.0

    def __post_init__(self) -> None:
        lengths_um = (self.length_um, self.white_matter_length_um)
        if min(*lengths_um, self.reference_mw) <= 0 or self.photons < 0 or self.order < 1:
            raise InputError(
                f"a microscope cannot have {self.photons} photons at {self.reference_mw} mW, order "
                f"{self.order} and attenuation lengths of {lengths_um[0]} and {lengths_um[1]} µm",
                advice="use lengths and powers above 0, and 0 or more photons",
            )

    def optical_depth(self, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Attenuation lengths above each depth, tau."""
        depth = np.maximum(np.asarray(depth_um, np.float64), 0.0)
        top_um, bottom_um = self.white_matter_um
        white_um = np.clip(depth, top_um, bottom_um) - top_um
        tau = (depth - white_um) / self.length_um + white_um / self.white_matter_length_um
        return np.asarray(tau, np.float64)

    def signal(self, power_mw: npt.ArrayLike, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Mean photons per pixel at concentration 1."""
        ratio = np.asarray(power_mw, np.float64) / self.reference_mw
        at_focus = ratio * np.exp(-self.optical_depth(depth_um))
        return np.asarray(self.photons * at_focus**self.order, np.float64)

    def blur(self, fluorophore: FloatArray, depth_um: float, pixel_um: float) -> FloatArray:
        """Concentration as resolved by the microscope: blurred, with haze.

        The mean is kept: depth affects the brightness only through `signal`.
        """
        sigma_um = self.psf_um + self.psf_growth_um_per_mm * max(depth_um, 0.0) / 1000
        sharp = gaussian_filter(fluorophore, sigma_um / pixel_um, mode="reflect")
        haze = min(0.5, self.haze * float(self.optical_depth(depth_um)))
        if not haze:
            return np.asarray(sharp, np.float32)
        wide = gaussian_filter(fluorophore, self.haze_um / pixel_um, mode="reflect", truncate=2.5)
        return np.asarray((1 - haze) * sharp + haze * wide, np.float32)


@dataclass(frozen=True)
class Detector:
    """A photomultiplier read by an analogue-to-digital converter.

    Each photon gives a charge drawn from a gamma distribution of mean 1 and variance F - 1: a
    Poisson number of photons of mean m gives variance F m. With gain g in counts per photon,

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
        SD of the amplifier's Gaussian noise.
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
                f"a detector cannot have a gain of {self.gain_counts} counts, an excess noise "
                f"factor of {self.excess_factor} and {self.bits} bits",
                advice="use a gain above 0, a factor of at least 1 and 1 to 16 bits",
            )

    @property
    def max_counts(self) -> int:
        """Largest output of the converter."""
        return int(2**self.bits) - 1

    def expected(self, photons: npt.NDArray[np.floating]) -> FloatArray:
        """Noise-free counts for mean photons per pixel; neither rounded nor clipped."""
        counts = self.offset_counts + self.gain_counts * (photons + self.dark_photons)
        return np.asarray(counts, np.float32)

    def noise_counts(self, photons: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """SD of the counts for mean photons per pixel."""
        electrons = np.asarray(photons, np.float64) + self.dark_photons
        variance = self.excess_factor * self.gain_counts**2 * electrons
        return np.asarray(np.sqrt(variance + self.amplifier_counts**2 + 1 / 12), np.float64)

    def read(self, photons: npt.NDArray[np.floating], rng: np.random.Generator) -> Counts:
        """Read a plane of mean photons per pixel once, clipped to the converter's range."""
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


@dataclass(frozen=True)
class Microscope:
    """A phantom with optics and a detector."""

    phantom: Phantom
    optics: Optics
    detector: Detector

    def concentration(self, depth_um: float) -> FloatArray:
        """Concentration in one plane as resolved by the optics, (height, width)."""
        fluorophore = self.phantom.fluorophore(depth_um)
        return self.optics.blur(fluorophore, depth_um, self.phantom.pixel_um)

    def expose(
        self,
        concentration: FloatArray,
        power_mw: float,
        depth_um: float,
        rng: np.random.Generator,
    ) -> Exposure:
        """Image one plane once."""
        photons = concentration * np.float32(self.optics.signal(power_mw, depth_um))
        return self.detector.read(photons, rng), self.detector.expected(photons)
