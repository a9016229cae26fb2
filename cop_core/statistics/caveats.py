"""What a reader must be told beside the numbers, in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.records import UNFAMILIAR, told_of_pixels
from cop_core.statistics.log_ratios import sign_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.records import ComponentEffect, DepthProfile, SlopeFit

ONE_STACK: Final = (
    "one stack per protocol: planes of one stack are not independent samples, "
    "so p values and effect sizes describe these two stacks only"
)

_CORRELATED = 0.1
_LEVEL = 0.05


def profile_caveats(
    profile: DepthProfile, lines: Mapping[str, SlopeFit], log_ratios: Mapping[str, SlopeFit]
) -> tuple[str, ...]:
    """Return what to know about one profile's lines, sentences without a full stop.

    Planes excluded, what the pixels of the others tell, planes unlike those of training, fits
    that are undefined or weak, lines that miss a curve, planes that are correlated, slopes that
    closure may have made.
    """
    found = [
        _excluded(profile),
        *told_of_pixels([plane.pixels for plane in profile.planes if not plane.reason]),
        _unfamiliar(profile),
        *_notes(lines),
        _curved(lines),
        _correlated(lines),
        _closure(lines, log_ratios),
    ]
    return tuple(text for text in found if text)


def settings_caveat(first: DepthProfile, second: DepthProfile) -> tuple[str, ...]:
    """Return a caveat that names the options in which two readings differ, if any."""
    one, other = (dict(p.reading) | {"depth window": p.window_um} for p in (first, second))
    differ = sorted(key for key in one if key != "device" and one[key] != other[key])
    return (f"the two profiles were made with different {', '.join(differ)}",) if differ else ()


def protocol_closure(effects: Sequence[ComponentEffect]) -> tuple[str, ...]:
    """Return a warning that names differences of slope that closure may have made, if any."""
    changed = [
        e.component
        for e in effects
        if e.slope_difference_per_um * e.log_ratio_slope_difference_per_um < 0
        and max(e.p_value_ar1, e.log_ratio_p_value) < _LEVEL
    ]
    if not changed:
        return ()
    return (
        "strengths sum to 1: the difference between the protocols' slopes significantly changes "
        f"sign as a centred log-ratio for {', '.join(changed)}",
    )


def exclusions(profile: DepthProfile) -> dict[str, int]:
    """Return how many planes are excluded for each reason, the most frequent first."""
    return dict(Counter(plane.reason for plane in profile.planes if plane.reason).most_common())


def _excluded(profile: DepthProfile) -> str:
    counts = exclusions(profile)
    if not counts:
        return ""
    reasons = "; ".join(f"{count} {reason}" for reason, count in counts.items())
    return f"{sum(counts.values())} of {len(profile)} planes excluded ({reasons})"


def _unfamiliar(profile: DepthProfile) -> str:
    strange = sum(any(f.startswith(UNFAMILIAR) for f in p.flags) for p in profile.planes)
    if not strange:
        return ""
    return (
        f"{strange} of {len(profile)} planes are {UNFAMILIAR}: "
        "neither their strengths nor the stated uncertainty can be relied on"
    )


def _notes(fits: Mapping[str, SlopeFit]) -> tuple[str, ...]:
    """Return each note once, with the components it is about unless it is about all."""
    about: dict[str, list[str]] = {}
    for component, fit in fits.items():
        about.setdefault(fit.note, []).append(component)
    about.pop("", None)
    return tuple(
        note if len(names) == len(fits) else f"{note} ({', '.join(names)})"
        for note, names in about.items()
    )


def _curved(fits: Mapping[str, SlopeFit]) -> str:
    missed = {c: 100 * (fit.r2_curve - fit.r2) for c, fit in fits.items() if fit.curved}
    if not missed:
        return ""
    return (
        f"{', '.join(missed)} {'is' if len(missed) == 1 else 'are'} curved: a straight line misses "
        f"{', '.join(f'{x:.0f}' for x in missed.values())} % of the variance over depth, "
        "so read the curve and take the slope as an average"
    )


def _correlated(fits: Mapping[str, SlopeFit]) -> str:
    known = {component: fit for component, fit in fits.items() if np.isfinite(fit.rho)}
    if not known:
        return ""
    component, fit = max(known.items(), key=lambda item: item[1].rho)
    if fit.rho < _CORRELATED:
        return ""
    return (
        f"neighbouring planes are correlated (lag-1 correlation up to {fit.rho:.2f}, {component}: "
        f"its {fit.n} planes are worth about {max(fit.n_effective, 1):.0f})"
    )


def _closure(lines: Mapping[str, SlopeFit], log_ratios: Mapping[str, SlopeFit]) -> str:
    changed = sign_changes(lines, log_ratios)
    if not changed:
        return ""
    return (
        "strengths sum to 1, so one that falls makes others rise: the slope significantly "
        f"changes sign as a centred log-ratio for {', '.join(changed)}"
    )
