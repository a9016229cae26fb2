"""Facts in a report about a stack besides its noise: image, excitation, validity, photons."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.recipes import AS_FILE
from cop_core.records import StoredImage
from cop_core.report.columns import Interval, Number, Results, Truth, Whole
from cop_core.statistics import exclusions

if TYPE_CHECKING:
    from cop_core.records import DepthProfile, Photons

MOST_POWERS: Final = 9
"""Depths at which a report tabulates the power."""

_OME_TYPE: Final = {"float16": "float", "float32": "float", "float64": "double"}


class ExcludedPlane(Results):
    """A plane that is left out; crops of some were read before."""

    plane: Whole
    depth_um: Number
    reason: str
    n_crops: Whole


class ImageFacts(Results):
    """The image, with names and units of OME."""

    Name: str
    format: str | None
    stored_axes: str | None
    stored_shape: tuple[Whole, ...] | None
    SizeX: Whole | None
    SizeY: Whole | None
    SizeZ: Whole
    SizeC: Whole | None
    SizeT: Whole | None
    TheC: Whole | None
    ChannelName: str | None
    TheT: Whole | None
    Type: str | None
    PhysicalSizeX: Number
    PhysicalSizeXUnit: str = "µm"
    PhysicalSizeY: Number
    PhysicalSizeYUnit: str = "µm"
    PhysicalSizeZ: Number
    PhysicalSizeZUnit: str = "µm"
    position: Whole | None
    depth_from: str | None
    surface: str | None
    surface_from: str | None
    zero_counts: Number
    zero_from: str | None


class PowerAtPlane(Results):
    """Power at one plane."""

    plane: Whole
    depth_um: Number
    power: Number


class ExcitationFacts(Results):
    """Power against depth, in one unit: ``"mW"`` at the sample, or that of the file."""

    stated: Truth
    given_as: Number | str
    power_from: str | None
    scale: Number | str
    unit: str
    n_planes_without: Whole
    power_min: Number
    power_max: Number
    planes: tuple[PowerAtPlane, ...]


class CountedReason(Results):
    """Planes left out for the same reason."""

    reason: str
    n_planes: Whole


class CountedFlag(Results):
    """Kept planes with the same note."""

    flag: str
    n_planes: Whole


class ValidityFacts(Results):
    """How reliable the planes are."""

    n_planes_kept: Whole
    n_crops: Whole
    excluded: tuple[CountedReason, ...]
    flags: tuple[CountedFlag, ...]
    n_planes_with_saturated_pixels: Whole
    saturated_fraction_mean: Number
    saturated_fraction_max: Number
    signal_counts_min: Number
    signal_counts_max: Number
    unfamiliar_fraction: Number
    slope_per_um_by_half_of_crops: dict[str, tuple[Number, Number]] | None


class PhotonFacts(Results):
    """Counts per photon, over the planes with an estimate."""

    n_planes: Whole
    counts_per_photon: Number
    counts_per_photon_quartiles: Interval | None


def excluded_planes(profile: DepthProfile) -> tuple[ExcludedPlane, ...]:
    """Return the planes that are left out."""
    return tuple(
        ExcludedPlane(plane=p.index, depth_um=p.depth_um, reason=p.reason, n_crops=p.n_crops)
        for p in profile.planes
        if p.reason
    )


def image_facts(profile: DepthProfile) -> ImageFacts:
    """Return the image of a stack."""
    stored = profile.provenance.image if profile.provenance else StoredImage("", "", ())
    size = dict(zip(stored.axes, stored.shape, strict=True))
    height, width = stored.plane_shape
    y, x = stored.pixel_size_um or (None, None)
    return ImageFacts(
        Name=profile.name,
        format=stored.format or None,
        stored_axes=stored.axes or None,
        stored_shape=stored.shape or None,
        SizeX=width or None,
        SizeY=height or None,
        SizeZ=len(profile),
        SizeC=size.get("C", 1) if size else None,
        SizeT=size.get("T", 1) if size else None,
        TheC=stored.channel,
        ChannelName=stored.channel_name,
        TheT=stored.time,
        Type=_OME_TYPE.get(stored.dtype, stored.dtype) or None,
        PhysicalSizeX=x,
        PhysicalSizeY=y,
        PhysicalSizeZ=_z_step(profile),
        position=stored.position,
        depth_from=stored.depth_from or None,
        surface=stored.surface or None,
        surface_from=stored.surface_from or None,
        zero_counts=stored.zero_counts,
        zero_from=stored.zero_from if stored.zero_counts is not None else None,
    )


def _z_step(profile: DepthProfile) -> float | None:
    """Return the distance between planes in µm; None if it is not constant."""
    steps = np.abs(np.diff(profile.depth_um))
    if not len(steps) or not np.isfinite(steps).all() or np.ptp(steps) > 1e-6 * steps.max():
        return None
    return float(np.median(steps)) or None


def excitation_facts(profile: DepthProfile) -> ExcitationFacts:
    """Return the power of a stack, at some of its depths."""
    power, made = profile.power, profile.provenance
    known = np.flatnonzero(np.isfinite(power))
    places = np.linspace(0, max(len(known) - 1, 0), min(MOST_POWERS, len(known)))
    shown = (profile.planes[i] for i in known[places.round().astype(int)])
    opened = made.opened.plain() if made else {}
    given = opened.get("power")
    if isinstance(given, list):
        given = "one value per plane"
    return ExcitationFacts(
        stated=bool(len(known)),
        given_as=given if given is not None else AS_FILE if len(known) else None,
        power_from=(made.image.power_from if made else None) or None,
        scale=opened.get("power_scale"),
        unit=profile.power_unit,
        n_planes_without=len(profile) - len(known),
        power_min=power[known].min() if len(known) else None,
        power_max=power[known].max() if len(known) else None,
        planes=tuple(
            PowerAtPlane(plane=p.index, depth_um=p.depth_um, power=p.power) for p in shown
        ),
    )


def validity_facts(profile: DepthProfile) -> ValidityFacts:
    """Return the reliability of the planes of a stack."""
    kept = [p for p in profile.planes if not p.reason]
    saturated = np.array([p.saturated_fraction for p in profile.planes])
    signal = np.array([p.signal for p in kept])
    strange = [p.unfamiliar_fraction * p.n_crops for p in kept if p.unfamiliar_fraction is not None]
    n_crops = sum(p.n_crops for p in kept)
    flags = Counter(flag.partition(" (")[0] for p in kept for flag in p.flags)
    return ValidityFacts(
        n_planes_kept=len(kept),
        n_crops=n_crops,
        excluded=tuple(
            CountedReason(reason=reason, n_planes=n) for reason, n in exclusions(profile).items()
        ),
        flags=tuple(CountedFlag(flag=flag, n_planes=n) for flag, n in flags.most_common()),
        n_planes_with_saturated_pixels=int((saturated > 0).sum()),
        saturated_fraction_mean=saturated.mean() if len(saturated) else None,
        saturated_fraction_max=saturated.max() if len(saturated) else None,
        signal_counts_min=signal.min() if kept else None,
        signal_counts_max=signal.max() if kept else None,
        unfamiliar_fraction=sum(strange) / n_crops if len(strange) == len(kept) > 0 else None,
        slope_per_um_by_half_of_crops=_half_slopes(profile),
    )


def _half_slopes(profile: DepthProfile) -> dict[str, Any] | None:
    """Return slopes from every second crop of each plane, first the even, then the odd ones.

    None where a plane has a single crop or there is no line.
    """
    kept = [p for p in profile.planes if not p.reason and np.isfinite(p.depth_um)]
    depth = np.array([p.depth_um for p in kept])
    if len(kept) < 3 or not np.ptp(depth) or any(len(p.strengths) < 2 for p in kept):
        return None
    slopes = []
    for first in (0, 1):
        means = np.array([p.strengths[first::2].mean(axis=0) for p in kept])
        slopes.append(np.polynomial.polynomial.polyfit(depth - depth.mean(), means, 1)[1])
    return dict(zip(profile.components, np.transpose(slopes).tolist(), strict=True))


def photon_facts(photons: Photons | None) -> PhotonFacts | None:
    """Return medians over the planes that give counts per photon, and their number."""
    if photons is None:
        return None
    told = photons.counts[np.isfinite(photons.counts)]
    if not len(told):
        return PhotonFacts(n_planes=0, counts_per_photon=None, counts_per_photon_quartiles=None)
    low, middle, high = np.percentile(told, (25, 50, 75)).tolist()
    return PhotonFacts(
        n_planes=len(told), counts_per_photon=middle, counts_per_photon_quartiles=(low, high)
    )
