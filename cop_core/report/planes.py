"""One row for each plane and protocol, as comma-separated values."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import numpy as np

from cop_core.statistics.photons import photons_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cop_core.report.protocols import Protocol
    from cop_core.statistics.profile import PlaneEstimate

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
_DETECTED = {
    "at_full_scale": "photons_at_full_scale",
    "counts": "counts_a_photon",
    "counts_sd": "counts_a_photon_sd",
    "amplifier_counts": "amplifier_counts",
    "amplifier_counts_sd": "amplifier_counts_sd",
}
"""Columns of `Photons`, by attribute."""


def planes_csv(shown: Sequence[Protocol]) -> str:
    """Return the planes of one or two protocols as CSV text.

    Parameters
    ----------
    shown : sequence of Protocol
        Protocols with the same components.

    Returns
    -------
    str
        Columns ``protocol, plane, depth_um, power_mw``, for each component a mean, an SD
        over crops and the network's own uncertainty (fractions of 1, clean included),
        ``signal, n_crops, saturated_fraction``, photons and amplifier noise in counts
        (`cop_core.statistics.photons`), ``excluded, reason, flags``. Unknown numbers are empty,
        excluded planes included.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in _header(shown[0].profile.components)])
    for protocol in shown:
        name = safe_cell(protocol.name)
        found = photons_of(protocol.profile)
        for i, plane in enumerate(protocol.profile.planes):
            detected = [getattr(found, c)[i] if found else math.nan for c in _DETECTED]
            writer.writerow([name, *_cells(plane, detected)])
    return text.getvalue()


def safe_cell(text: str) -> str:
    """Return text that a spreadsheet does not take for a formula.

    Parameters
    ----------
    text : str
        A cell; metadata of a stack may hold anything.
    """
    return f"'{text}" if text.startswith(_FORMULA_START) else text


def _header(components: tuple[str, ...]) -> list[str]:
    strengths = [name for c in components for name in (c, f"{c}_sd", f"{c}_uncertainty")]
    return [
        *("protocol", "plane", "depth_um", "power_mw"),
        *strengths,
        *("signal", "n_crops", "saturated_fraction", "span_counts", *_DETECTED.values()),
        *("excluded", "reason", "flags"),
    ]


def _cells(plane: PlaneEstimate, detected: Sequence[float]) -> Iterator[str | int]:
    yield plane.index
    yield from (_number(plane.depth_um), _number(plane.power_mw))
    unsure = plane.uncertainty if len(plane.uncertainty) else np.full(len(plane.mean), np.nan)
    for values in zip(plane.mean, plane.sd, unsure, strict=True):
        yield from map(_number, values)
    yield from (_number(plane.signal), plane.n_crops, _number(plane.saturated_fraction))
    yield from map(_number, (plane.span_counts, *detected))
    yield "true" if plane.reason else "false"
    yield from (safe_cell(plane.reason), safe_cell("; ".join(plane.flags)))


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""
