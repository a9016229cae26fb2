"""Caveats: sentences that a reader must see beside the numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.components import CLEAN
from cop_core.recipes.terms import typed
from cop_core.records import (
    ASSUMED,
    NO_SIGNAL,
    UNFAMILIAR,
    changed_noise,
    copies,
    in_turn,
    power_text,
    told_of_pixels,
)
from cop_core.records.crop_grid import SMALL
from cop_core.statistics.log_ratios import sign_changes
from cop_core.statistics.verdict_words import noise
from cop_core.words import in_so_many, listed, so_many, up_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.records import (
        Comparison,
        ComponentEffect,
        DepthProfile,
        PixelFacts,
        SlopeFit,
    )
    from cop_core.records.arrays import Matrix

TWO_TISSUES: Final = "they are treated as two tissues, so tissue and protocol cannot be separated"
_CLOSURE: Final = (
    "strengths sum to 1, so when one rises, others fall: corrected for this (log-ratios)"
)
UPWARDS: Final = (
    "shot noise falls with depth, but the first plane is only assumed to be the surface: if the "
    f"stack was acquired upwards, set the surface to last{typed('surface', 'last')}"
)
_SATURATED: Final = 0.001
"""Fraction of pixels at the ceiling above which the range of a plane is cut off."""
_SAME_POWER: Final = 0.01  # of the largest


def profile_caveats(
    profile: DepthProfile, lines: Mapping[str, SlopeFit], log_ratios: Mapping[str, SlopeFit]
) -> tuple[str, ...]:
    """Return whatever limits conclusions from one stack, as sentences without a full stop.

    The most important first: `cautions`, planes unlike those of training, too small, saturated, or
    changed before they were stored, slopes that are undefined or weak, planes left out, slopes
    that closure may have caused, decisions made on opening it.
    """
    found = [
        *cautions(profile, lines),
        _unfamiliar(profile),
        _small(profile),
        _saturated(profile),
        *told_of_pixels(_pixels(profile)),
        copies(_means(profile), [plane.signal for plane in profile.planes]),
        *_notes(lines),
        left_out(profile, _untold(profile)),
        _closure(lines, log_ratios),
        *(profile.provenance.image.remarks if profile.provenance else ()),
    ]
    return tuple(dict.fromkeys(text for text in found if text))


def cautions(profile: DepthProfile, lines: Mapping[str, SlopeFit]) -> tuple[str, ...]:
    """Return the caveats of one stack without which its verdict would be untrue."""
    upwards = UPWARDS if may_be_upwards(profile, lines) else ""
    small = _small(profile) if 2 * _n_small(profile) > len(profile) else ""
    mixed = in_turn(_means(profile))
    return tuple(filter(None, (mixed, upwards, small, *changed_noise(_pixels(profile)))))


def may_be_upwards(profile: DepthProfile, lines: Mapping[str, SlopeFit]) -> bool:
    """Whether shot noise falls with a depth that counts from an end that was only assumed."""
    image = profile.provenance.image if profile.provenance else None
    fit = lines.get("poisson")
    if image is None or image.surface_from != ASSUMED or fit is None:
        return False
    return fit.slope_ci95[1] < 0 and not -fit.slope_per_um <= fit.reading_limit_per_um


def _pixels(profile: DepthProfile) -> list[PixelFacts]:
    return [plane.pixels for plane in profile.planes if not plane.reason]


def _means(profile: DepthProfile) -> list[Matrix]:
    return [plane.block_means for plane in profile.planes]


def settings_caveat(first: DepthProfile, second: DepthProfile) -> tuple[str, ...]:
    """Return a caveat that names the options in which two readings differ, if any."""
    one, other = (dict(p.reading) | {"depth window": p.window_um} for p in (first, second))
    differ = sorted(key for key in one if key != "device" and one[key] != other[key])
    return (f"the stacks were read with different {', '.join(differ)}",) if differ else ()


def protocol_closure(effects: Sequence[ComponentEffect]) -> tuple[str, ...]:
    """Return a warning that names called differences that closure may have caused, if any."""
    changed = [
        e.component
        for e in effects
        if e.difference.called
        and e.difference.slope_difference_per_um * e.log_ratio_slope_difference_per_um < 0
    ]
    if not changed:
        return ()
    return (f"{_CLOSURE}, the slopes of {_listed(changed)} differ in the opposite direction",)


def rising_power(name: str, profile: DepthProfile, whose: str) -> tuple[str, ...]:
    """Return a warning where the power changes in a stack of the protocol that is called fixed."""
    power = profile.power
    power = power[np.isfinite(power)]
    if name.lower() != "fixed" or not len(power) or np.ptp(power) <= _SAME_POWER * power.max():
        return ()
    return (
        f"{whose} was acquired at {power_text(power.min(), profile.power_unit, to=power.max())}: "
        "check that the protocols are not swapped",
    )


def pair_caveats(found: Comparison) -> tuple[str, ...]:
    """Return the caveats of a comparison of two stacks, the most important first."""
    texts = [
        *(_two_tissues(found) if not found.same_tissue else ()),
        *(
            text
            for each in found.analysed
            for text in rising_power(each.name, each.profile, f"the stack {each.name}")
        ),
        *settings_caveat(found.first.profile, found.second.profile),
        *_planes_lost(found),
        *protocol_closure(found.effects),
        *(text for each in found.analysed for text in each.caveats),
    ]
    return tuple(texts)


def _two_tissues(found: Comparison) -> tuple[str, ...]:
    if found.options.tissue == "other":
        return (TWO_TISSUES,)
    known, both = found.match.correlation, listed(found.names)
    if np.isnan(known):
        return (f"it cannot be determined whether {both} show the same tissue: {TWO_TISSUES}",)
    return (f"{both} do not look alike (correlation {known:.2f} at equal depth): {TWO_TISSUES}",)


def _planes_lost(found: Comparison) -> tuple[str, ...]:
    if not found.n_dropped:
        return ()
    planes, verb = ("plane", "is") if found.n_dropped == 1 else ("planes", "are")
    return (
        f"{found.n_dropped} {planes} within the compared depths {verb} not used: the other stack "
        "has no usable plane there",
    )


def exclusions(profile: DepthProfile) -> dict[str, int]:
    """Return how many planes are excluded for each reason, the most frequent first."""
    return dict(Counter(plane.reason for plane in profile.planes if plane.reason).most_common())


def _untold(profile: DepthProfile) -> dict[str, int]:
    """Return exclusions, except planes without signal, which the signal depth covers."""
    return {why: n for why, n in exclusions(profile).items() if why != NO_SIGNAL}


def left_out(profile: DepthProfile, counts: Mapping[str, int]) -> str:
    """Return how many planes are left out, with each reason; empty where none is."""
    if not counts:
        return ""
    reasons = "; ".join(f"{count} {reason}" for reason, count in counts.items())
    return f"{sum(counts.values())} of {len(profile)} planes left out ({reasons})"


def _unfamiliar(profile: DepthProfile) -> str:
    strange = sum(any(f.startswith(UNFAMILIAR) for f in p.flags) for p in profile.planes)
    if not strange:
        return ""
    return (
        f"{so_many(strange, len(profile))} {'are' if strange > 1 else 'is'} {UNFAMILIAR}: "
        "strengths and uncertainties are not reliable there"
    )


def _n_small(profile: DepthProfile) -> int:
    return sum(SMALL in plane.flags for plane in profile.planes)


def _small(profile: DepthProfile) -> str:
    n = _n_small(profile)
    verb = "are" if n > 1 else "is"
    return f"{so_many(n, len(profile))} {verb} {SMALL} and {verb} read less reliably" if n else ""


def _saturated(profile: DepthProfile) -> str:
    """Return how many planes have a range that saturation has cut off."""
    fractions = [p.saturated_fraction for p in profile.planes if not p.reason]
    return saturation(fractions, len(profile))


def saturation(fractions: Sequence[float], n_planes: int) -> str:
    """Return in how many of some planes saturation has cut off the range; empty if in none.

    Parameters
    ----------
    fractions : sequence of float
        Of the pixels at the ceiling, in the planes that can be read.
    n_planes : int
        Number of planes examined.
    """
    found = [fraction for fraction in fractions if fraction >= _SATURATED]
    if not found:
        return ""
    return (
        f"{in_so_many(len(found), n_planes)}"
        f"{up_to(len(found), f'{100 * max(found):.2g} %')} of the pixels are saturated: the range "
        "is too short, and strengths relative to it are too high"
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


def _closure(lines: Mapping[str, SlopeFit], log_ratios: Mapping[str, SlopeFit]) -> str:
    changed = [
        component
        for component in sign_changes(lines, log_ratios)
        if not abs(lines[component].slope_per_um) <= lines[component].reading_limit_per_um
    ]
    return f"{_CLOSURE}, the slope of {_listed(changed)} changes sign" if changed else ""


def _listed(components: Sequence[str]) -> str:
    return listed([noise(name) if name != CLEAN else "the clean part" for name in components])
