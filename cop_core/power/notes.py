"""Notes on a recommended power."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cop_core.power.held_quantity import SIGNAL
from cop_core.power.verdict import FEWEST, limit_text, rise_text
from cop_core.recipes import MW
from cop_core.recipes.terms import typed

if TYPE_CHECKING:
    from cop_core.power.recommendation import Bools, Recommendation

_SAME_ENERGY = 0.01
_LITTLE_ENERGY = 0.05  # if imaged again, a quarter of it or more is lost
_CLEAR_DRIFT = 0.25


def notes_of(found: Recommendation) -> tuple[str, ...]:
    """Return the notes of a recommendation, most important first."""
    parts = (
        _order, _unit, _cap, _steps, _saturates, _outside, _offset, _range, _layers, _held, _tissue,
        _left_out, _energy,
    )  # fmt: skip
    return tuple(note for part in parts for note in part(found))


def _order(found: Recommendation) -> Iterator[str]:
    if found.attenuation.order_assumed:
        yield (
            "three-photon excitation is assumed: the signal rises with the cube of the power; for "
            f"two-photon, choose two-photon excitation{typed('excitation_order', '2')}"
        )


def _unit(found: Recommendation) -> Iterator[str]:
    if found.unit != MW:
        yield (
            f"powers are in the file's own unit ({found.unit}), and the light at the sample is "
            "assumed to be proportional to it; whether the tissue tolerates it is unknown: "
            f"measure the power at the sample and set a power scale{typed('power_scale')}"
        )


def _cap(found: Recommendation) -> Iterator[str]:
    if found.cap_depth_um is None:
        return
    first, held = int(np.argmax(found.at_limit)), found.held
    reached = found.cap_depth_um < found.depth_um[first]
    before = held.text(found.level if reached else found.expected[first])
    yield (
        f"{found.depths_text(found.at_limit)}, {limit_text(found)}: {held.subject} goes from "
        f"{'' if reached else 'an expected '}{before} to {_worst(found, found.at_limit)}"
    )


def _steps(found: Recommendation) -> Iterator[str]:
    slowed = found.slowed
    if slowed.any():
        yield (
            f"{_planes(slowed)} below the desired power, because {rise_text(found)}: "
            f"{found.held.subject} goes to {_worst(found, slowed)}"
        )


def _planes(which: Bools) -> str:
    n = int(which.sum())
    return "1 plane stays" if n == 1 else f"{n} planes stay"


def _worst(found: Recommendation, planes: Bools) -> str:
    """Return the expected value where the power falls shortest, and its depth."""
    worst = int(np.argmax(np.where(planes, found.wanted / found.power, 0.0)))
    return f"an expected {found.held.text(found.expected[worst])} at {found.depth_um[worst]:.0f} µm"


def _saturates(found: Recommendation) -> Iterator[str]:
    """Yield a note if bright structures would exceed the ceiling."""
    of = found.attenuation
    ceiling = of.signal.ceiling_counts
    if ceiling is None:
        return
    counts = of.offset.counts + np.exp(of.fit.at(found.depth_um)) * found.power**of.order
    over = counts > ceiling
    if over.any():
        worst = int(np.argmax(counts))
        yield (
            f"{found.depths_text(over)}, the bright structures would be saturated: an expected "
            f"{counts[worst]:.4g} counts at {found.depth_um[worst]:.0f} µm, where {ceiling:g} is "
            f"the largest count; set a lower power at the surface{typed('surface_power')}"
        )


def _outside(found: Recommendation) -> Iterator[str]:
    if not found.extrapolated.any():
        return
    low, high = found.held.fit.depth_um[[0, -1]]
    yield (
        f"{int(found.extrapolated.sum())} of {len(found.depth_um)} planes lie outside the "
        f"measured {low:.0f} to {high:.0f} µm: their power is extrapolated and cannot "
        "allow for a different layer of tissue there"
    )


def _offset(found: Recommendation) -> Iterator[str]:
    offset = found.attenuation.offset
    if offset.estimated:
        yield (
            "the detector's zero level was not specified and is estimated as "
            f"{offset.counts:.2f} ± {offset.error_counts:.2f} counts from the dimmest plane; "
            f"record a dark frame and set the zero level to its mean{typed('offset_counts')}"
        )


def _range(found: Recommendation) -> Iterator[str]:
    """Yield notes on lengths without an upper bound, or longer than the depths they come from."""
    span_um = np.ptp(found.attenuation.fit.depth_um)
    unsure = [
        f"from {layer.top_um:.0f} to {layer.bottom_um:.0f} µm it is {layer.length_text}"
        for layer in found.attenuation.layers
        if np.isfinite(layer.length_um)
        and (np.isinf(layer.length_ci95_um[1]) or layer.length_um > span_um)
    ]
    if unsure:
        yield (
            "the planes span too short a range to determine the attenuation length: "
            f"{'; '.join(unsure)} (95 % interval)"
        )


def _layers(found: Recommendation) -> Iterator[str]:
    layers = found.attenuation.layers
    for layer in layers:
        if not np.isfinite(layer.length_um):
            yield (
                f"between {layer.top_um:.0f} and {layer.bottom_um:.0f} µm the signal does not "
                "fall with depth: structures become denser or brighter there"
            )
    for above, below in pairwise(layers):
        if not np.isfinite([above.length_um, below.length_um]).all():
            continue  # told above
        yield (
            f"at {below.top_um:.0f} µm the attenuation length goes from {above.length_um:.0f} to "
            f"{below.length_um:.0f} µm: neither this stack nor another at a different power can "
            "show whether light is lost there or the label is sparser or dimmer; the power holds "
            "the measured brightness, and light per fluorophore may differ"
        )


def _held(found: Recommendation) -> Iterator[str]:
    held, order = found.held, found.attenuation.order
    if held.name == SIGNAL:
        return
    share = {-0.5: "the square root of the signal", -1.0: "the signal"}[held.exponent / order]
    yield (
        f"it is assumed that {held.subject} is inversely proportional to {share} when the "
        "power changes"
    )
    if held.tissue is None and abs(held.drift - 1) > _CLEAR_DRIFT:
        yield (
            f"over the measured depths {held.subject} changes by a factor of {held.drift:.2f} "
            "that the signal does not explain: the held strength may drift by as much"
        )


def _tissue(found: Recommendation) -> Iterator[str]:
    tissue = found.held.tissue
    if tissue is None:
        yield (
            "only the exponential law is followed: brighter or dimmer layers of tissue are not "
            "compensated"
        )
        return
    top, bottom = tissue.depth_um[[0, -1]]
    low, high = 100 * np.expm1([tissue.log_factor.min(), tissue.log_factor.max()])
    yield (
        f"the power follows this tissue, smoothed over {tissue.over_um:g} µm: from {top:.0f} to "
        f"{bottom:.0f} µm its {found.held.label} deviates from the law by {low:+.0f} to "
        f"{high:+.0f} %, which the power compensates; to follow the law alone, set the width over "
        f"which tissue is followed to 0{typed('follow_um', '0')}"
    )


def _left_out(found: Recommendation) -> Iterator[str]:
    given = Counter(reason for reason in found.attenuation.reasons if reason)
    if given:
        each = [f"{reason} ({count})" for reason, count in given.most_common()]
        reasons = "; ".join(each if len(each) > 1 else given)
        yield f"{given.total()} of {len(found.attenuation.reasons)} planes left out: {reasons}"


def _energy(found: Recommendation) -> Iterator[str]:
    energy = found.energy
    if energy.planes < FEWEST or not np.isfinite(energy.exponential_length_um):
        return
    saved = energy.saving_on_exponential
    if saved < _SAME_ENERGY:
        one_law = found.held.tissue is None and len(found.attenuation.layers) == 1
        why = ": with one attenuation length, the curve is that law" if one_law else ""
        yield f"no energy is saved compared with an exponential law at equal noise{why}"
    elif saved < _LITTLE_ENERGY:
        yield (
            "hardly any energy is saved compared with an exponential law at equal noise "
            f"({100 * saved:.0f} %)"
        )
