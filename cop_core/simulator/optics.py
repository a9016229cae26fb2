"""From fluorophore to photons: three-photon excitation through attenuating tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from cop_core.errors import InputError
from cop_core.simulator.layers import WHITE_MATTER_UM

if TYPE_CHECKING:
    from cop_core.simulator.spheres import FloatArray


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
        Power to which `photons` belongs, in mW at the surface.
    order : int
        Photons absorbed at once, n.
    length_um : float
        Effective attenuation length in grey matter, in um; about 300 at 1300 nm.
    white_matter_length_um : float
        The same in the external capsule, in um.
    white_matter_um : tuple of float
        Upper and lower border of the external capsule, in um.
    psf_um : float
        SD of the lateral point spread function at the surface, in um.
    psf_growth_um_per_mm : float
        How much that SD grows per mm of depth (aberration), in um.
    haze : float
        Fraction of the signal, per attenuation length, that comes from around the focus.
    haze_um : float
        SD of that haze, in um.

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
        lengths_um = (self.length_um, self.white_matter_length_um, self.reference_mw)
        if min(lengths_um) <= 0 or self.photons < 0 or self.order < 1:
            raise InputError(
                f"no microscope has {self.photons} photons at {self.reference_mw} mW, order "
                f"{self.order} and attenuation lengths of {lengths_um[0]} and {lengths_um[1]} um",
                advice="Give lengths and powers above 0, and photons from 0 up",
            )

    def optical_depth(self, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Attenuation lengths above each depth in um, tau."""
        depth = np.maximum(np.asarray(depth_um, np.float64), 0.0)
        top_um, bottom_um = self.white_matter_um
        white_um = np.clip(depth, top_um, bottom_um) - top_um
        tau = (depth - white_um) / self.length_um + white_um / self.white_matter_length_um
        return np.asarray(tau, np.float64)

    def signal(self, power_mw: npt.ArrayLike, depth_um: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Mean photons per pixel at concentration 1, for powers in mW and depths in um."""
        ratio = np.asarray(power_mw, np.float64) / self.reference_mw
        at_focus = ratio * np.exp(-self.optical_depth(depth_um))
        return np.asarray(self.photons * at_focus**self.order, np.float64)

    def blur(self, fluorophore: FloatArray, depth_um: float, pixel_um: float) -> FloatArray:
        """Concentration as the microscope resolves it: blurred, and under haze.

        The mean is kept, so that depth enters the brightness through `signal` alone.

        Returns
        -------
        ndarray of shape (height, width)
            Concentration.
        """
        sigma_um = self.psf_um + self.psf_growth_um_per_mm * max(depth_um, 0.0) / 1000
        sharp = gaussian_filter(fluorophore, sigma_um / pixel_um, mode="reflect")
        haze = min(0.5, self.haze * float(self.optical_depth(depth_um)))
        if not haze:
            return np.asarray(sharp, np.float32)
        wide = gaussian_filter(fluorophore, self.haze_um / pixel_um, mode="reflect", truncate=2.5)
        return np.asarray((1 - haze) * sharp + haze * wide, np.float32)
