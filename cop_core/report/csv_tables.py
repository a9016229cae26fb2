"""Comma-separated values, safe to open in a spreadsheet; one row for each plane and protocol."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from cop_core.records import AnalysedProfile, PlaneEstimate

_FORMULA_START: Final = ("=", "+", "-", "@", "\t", "\r")
_DETECTED: Final = {
    "at_full_scale": "photons_at_full_scale",
    "counts": "counts_per_photon",
    "counts_sd": "counts_per_photon_sd",
    "amplifier_counts": "amplifier_counts",
    "amplifier_counts_sd": "amplifier_counts_sd",
}
"""Columns of `Photons`, by attribute."""


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV text: exact numbers, unknown ones empty, no formulas."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def safe_cell(text: str) -> str:
    """Return text that a spreadsheet does not take for a formula; metadata may hold anything."""
    return f"'{text}" if text.startswith(_FORMULA_START) else text


def planes_csv(shown: Sequence[AnalysedProfile]) -> str:
    """Return the planes of stacks with the same components as CSV text.

    Returns
    -------
    str
        Columns ``protocol, plane, depth_um, power_mw`` (empty where the power is not known in
        mW), for each component a mean, an SD over crops and the network's own uncertainty
        (fractions of 1, clean included), ``power, power_unit`` (as the file states them),
        ``signal, n_crops, saturated_fraction``, photons and amplifier noise in counts
        (`Photons`), ``excluded, reason, flags``. Unknown numbers are empty, excluded planes
        included.
    """
    strengths = [
        name for c in shown[0].profile.components for name in (c, f"{c}_sd", f"{c}_uncertainty")
    ]
    header = [
        *("protocol", "plane", "depth_um", "power_mw"),
        *strengths,
        *("power", "power_unit"),
        *("signal", "n_crops", "saturated_fraction", "span_counts", *_DETECTED.values()),
        *("excluded", "reason", "flags"),
    ]
    return csv_text([header, *(row for each in shown for row in _rows(each))])


def _rows(analysed: AnalysedProfile) -> Iterator[list[Any]]:
    photons, mw = analysed.photons, analysed.profile.power_mw
    for i, plane in enumerate(analysed.profile.planes):
        detected = (getattr(photons, name)[i] if photons else None for name in _DETECTED)
        yield [
            *(analysed.name, plane.index, plane.depth_um, mw[i]),
            *_strengths(plane),
            *(plane.power, plane.power_unit),
            *(plane.signal, plane.n_crops, plane.saturated_fraction, plane.span_counts),
            *detected,
            *(bool(plane.reason), plane.reason, "; ".join(plane.flags)),
        ]


def _strengths(plane: PlaneEstimate) -> Iterator[float]:
    doubt = plane.uncertainty if len(plane.uncertainty) else np.full(len(plane.mean), np.nan)
    for values in zip(plane.mean, plane.sd, doubt, strict=True):
        yield from values


def _cell(value: Any) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        return safe_cell(plain)
    if plain is None or (isinstance(plain, float) and not math.isfinite(plain)):
        return ""
    return str(plain).lower() if isinstance(plain, bool) else repr(plain)
