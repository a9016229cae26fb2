"""What a report says of a stack beside its noise: image, excitation, validity."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.statistics.caveats import exclusions
from cop_core.statistics.photons import photons_of
from cop_core.statistics.profile import UNFAMILIAR

if TYPE_CHECKING:
    from cop_core.statistics.profile import DepthProfile

MOST_POWERS: Final = 9
"""Depths at which a report tabulates the power."""

_OME_TYPE = {"float16": "float", "float32": "float", "float64": "double"}


def facts_of(profile: DepthProfile) -> dict[str, Any]:
    """Return the image, the excitation and the validity of one stack.

    Parameters
    ----------
    profile : DepthProfile
        The profile.

    Returns
    -------
    dict
        ``image`` (names and units as in OME), ``excitation`` (power against depth, or that it is
        not stated) and ``validity`` (planes left out by reason, notes on planes that are kept,
        saturation, signal, crops unlike those of training, slopes from either half of the
        crops) and ``photons`` (counts a photon makes; None for weights that do not say).
    """
    photons = photons_of(profile)
    return {
        "image": _image(profile),
        "excitation": _excitation(profile),
        "validity": _validity(profile),
        "photons": photons.to_dict() if photons else None,
    }


def _image(profile: DepthProfile) -> dict[str, Any]:
    made = profile.provenance
    stored = made.get("stored_as") or {}
    axes, lengths = stored.get("axes") or "", stored.get("shape") or ()
    size = dict(zip(axes, lengths, strict=True))
    _, height, width = made.get("shape") or (None, None, None)
    y, x = made.get("pixel_size_um") or (None, None)
    dtype = made.get("dtype")
    return {
        "Name": profile.name,
        "format": stored.get("format"),
        "stored_axes": axes or None,
        "stored_shape": list(lengths) or None,
        "SizeX": width,
        "SizeY": height,
        "SizeZ": len(profile),
        "SizeC": size.get("C", 1) if size else None,
        "SizeT": size.get("T", 1) if size else None,
        "TheC": stored.get("channel"),
        "ChannelName": stored.get("channel_name"),
        "TheT": stored.get("time"),
        "Type": _OME_TYPE.get(str(dtype), dtype),
        "PhysicalSizeX": x,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": y,
        "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": _z_step(profile),
        "PhysicalSizeZUnit": "µm",
        "depth_from": stored.get("depth_from"),
    }


def _z_step(profile: DepthProfile) -> float | None:
    """Return the distance of two planes in um; None where it is not one and the same."""
    steps = np.abs(np.diff(profile.depth_um))
    if not len(steps) or not np.isfinite(steps).all() or np.ptp(steps) > 1e-6 * steps.max():
        return None
    return float(np.median(steps)) or None


def _excitation(profile: DepthProfile) -> dict[str, Any]:
    power = profile.power_mw
    known = np.flatnonzero(np.isfinite(power))
    places = np.linspace(0, max(len(known) - 1, 0), min(MOST_POWERS, len(known)))
    given = (profile.provenance.get("opened_with") or {}).get("power")
    return {
        "stated": bool(len(known)),
        "given_as": given if given is not None else "metadata" if len(known) else None,
        "n_planes_without": len(profile) - len(known),
        "power_mw_min": power[known].min() if len(known) else None,
        "power_mw_max": power[known].max() if len(known) else None,
        "planes": [
            {"plane": p.index, "depth_um": p.depth_um, "power_mw": p.power_mw}
            for p in (profile.planes[i] for i in known[places.round().astype(int)])
        ],
    }


def _validity(profile: DepthProfile) -> dict[str, Any]:
    kept = [p for p in profile.planes if not p.reason]
    saturated = np.array([p.saturated_fraction for p in profile.planes])
    signal = np.array([p.signal for p in kept])
    strange = [p.unfamiliar_fraction * p.n_crops for p in kept if p.unfamiliar_fraction is not None]
    n_crops = sum(p.n_crops for p in kept)
    flags = Counter(UNFAMILIAR if f.startswith(UNFAMILIAR) else f for p in kept for f in p.flags)
    return {
        "n_planes_kept": len(kept),
        "n_crops": n_crops,
        "excluded": [{"reason": r, "n_planes": n} for r, n in exclusions(profile).items()],
        "flags": [{"flag": flag, "n_planes": n} for flag, n in flags.most_common()],
        "n_planes_with_saturated_pixels": int((saturated > 0).sum()),
        "saturated_fraction_mean": saturated.mean() if len(saturated) else None,
        "saturated_fraction_max": saturated.max() if len(saturated) else None,
        "signal_counts_min": signal.min() if kept else None,
        "signal_counts_max": signal.max() if kept else None,
        "unfamiliar_fraction": sum(strange) / n_crops if len(strange) == len(kept) > 0 else None,
        "slope_per_um_by_half_of_crops": _half_slopes(profile),
    }


def _half_slopes(profile: DepthProfile) -> dict[str, list[float]] | None:
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
