"""Photons and amplifier noise in counts, from strengths of the microscopy genome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cop_core.statistics.profile import DepthProfile

READABLE: Final = 0.25
"""Largest uncertainty of a Poisson strength, as a share of it, from which photons are told."""

_READ: Final = ("poisson", "gaussian")


@dataclass(frozen=True)
class Photons:
    """What strengths say of the detector, plane by plane.

    The full scale of a plane is R counts wide, of which 4 / s^2 photons make the Poisson strength
    s: a photon is R s^2 / 4 counts, the slope of a photon transfer curve, excess noise included.
    A Gaussian strength s is an amplifier of SD R s / 2 counts. SDs follow those of the strengths
    to first order.

    Attributes
    ----------
    at_full_scale : ndarray of shape (planes,)
        Photons that reach the top of a plane's range. Here and in `counts` NaN where the plane is
        left out or the uncertainty of s is more than `READABLE` of it.
    counts, counts_sd : ndarray of shape (planes,)
        Counts that a photon makes.
    amplifier_counts, amplifier_counts_sd : ndarray of shape (planes,)
        SD of the amplifier's noise in counts; NaN where the plane is left out.
    """

    at_full_scale: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]
    counts_sd: npt.NDArray[np.float64]
    amplifier_counts: npt.NDArray[np.float64]
    amplifier_counts_sd: npt.NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Return medians over the planes that tell, and how many there are; None for none."""
        told = np.isfinite(self.counts)
        if not told.any():
            return {"n_planes": 0, "counts_a_photon": None, "counts_a_photon_quartiles": None}
        low, middle, high = np.percentile(self.counts[told], (25, 50, 75)).tolist()
        return {
            "n_planes": int(told.sum()),
            "counts_a_photon": middle,
            "counts_a_photon_quartiles": [low, high],
        }


def photons_of(profile: DepthProfile) -> Photons | None:
    """Return photons and amplifier noise in counts of every plane.

    Parameters
    ----------
    profile : DepthProfile
        Read with weights of a genome whose photon noise is physical. Its zero should be the
        detector's (`Settings.offset_counts`); else the dark end of each plane stands for it, and
        where a plane has no dark pixels, photons come out too large.

    Returns
    -------
    Photons or None
        None for weights of another genome, whose strengths are no SDs.
    """
    genome = (profile.provenance.get("weights") or {}).get("genome") or {}
    if "shot" not in genome.get("order", ()) or not {*_READ} <= {*profile.components}:
        return None
    kept = profile.kept
    span = np.where(kept, [p.span_counts for p in profile.planes], np.nan)
    shot, amplifier = (profile.components.index(c) for c in _READ)
    s, doubt = profile.mean[:, shot], profile.uncertainty[:, shot]
    s = np.where(doubt <= READABLE * s, s, np.nan)
    return Photons(
        at_full_scale=np.where(kept, 4 / s**2, np.nan),
        counts=span * s**2 / 4,
        counts_sd=span * s * doubt / 2,
        amplifier_counts=span * profile.mean[:, amplifier] / 2,
        amplifier_counts_sd=span * profile.uncertainty[:, amplifier] / 2,
    )
