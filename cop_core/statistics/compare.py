"""Two protocols side by side: which images deeper, and where noise grows faster."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError
from cop_core.recipes import ComparisonOptions
from cop_core.records import AnalysedProfile, Comparison, TissueMatch
from cop_core.statistics.analysis import analyse_all
from cop_core.statistics.calls import called
from cop_core.statistics.caveats import pair_caveats
from cop_core.statistics.depths import within
from cop_core.statistics.pair_effect import pair_effect
from cop_core.statistics.pairing import paired_planes
from cop_core.statistics.tissue_match import SAME_TISSUE, tissue_match
from cop_core.statistics.usable_difference import usable_depths
from cop_core.statistics.verdict import verdict_of_pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.recipes import Window
    from cop_core.records import DepthProfile


def compare(
    first: DepthProfile,
    second: DepthProfile,
    options: ComparisonOptions | None = None,
    *,
    window_um: Window | None = None,
    **chosen: Any,
) -> Comparison:
    """Compare two protocols over the depths at which both stacks have usable planes.

    Parameters
    ----------
    first, second : DepthProfile
        Profiles with the same components. Differences are `first` minus `second`; the names are
        those of the profiles.
    options : ComparisonOptions, optional
        How they are compared.
    window_um : (float or None, float or None), optional
        Shallowest and deepest depth in µm to use, both included; None leaves a side open.
    **chosen
        Fields of `ComparisonOptions` in place of `options`.

    Raises
    ------
    InputError
        The profiles have different components, an option is out of range, or the window holds
        no plane.
    """
    options = (options or ComparisonOptions()).but(**chosen)
    profiles = first, second
    check_components(profiles)
    if window_um is not None:
        profiles = within(first, window_um), within(second, window_um)
    one, other = analyse_all(profiles, level=options.level)
    return compare_analysed(one, other, options)


def compare_analysed(
    first: AnalysedProfile, second: AnalysedProfile, options: ComparisonOptions
) -> Comparison:
    """Compare analysed profiles as `compare` does, under their own names."""
    profiles = first.profile, second.profile
    check_components(profiles)
    pairs = paired_planes(*profiles)
    match = tissue_match(*profiles, pairs)
    same = _same_tissue(match, options)
    effects = [
        pair_effect(component, *profiles, pairs, options, same_tissue=same)
        for component in first.profile.components
    ]
    usable, difference = usable_depths(*profiles, options, same_tissue=same)
    found = Comparison(
        first,
        second,
        called(effects, options.rule),
        options,
        caveats=(),
        window_um=pairs.window_um,
        n_pairs=len(pairs),
        n_dropped=pairs.n_dropped,
        match=match,
        same_tissue=same,
        usable=usable,
        usable_difference=difference,
    )
    return concluded(found)


def concluded(found: Comparison) -> Comparison:
    """Return a comparison with the caveats and the verdict that follow from its effects."""
    return replace(found, caveats=pair_caveats(found), verdict=verdict_of_pair(found))


def check_components(profiles: Sequence[DepthProfile]) -> None:
    """Refuse profiles that do not all have the same components, with an InputError."""
    first = profiles[0]
    for other in profiles[1:]:
        if other.components != first.components:
            raise InputError(
                f"{first.name!r} has the components {', '.join(first.components)} and "
                f"{other.name!r} has {', '.join(other.components)}",
                advice="read all stacks with the same weights",
            )


def _same_tissue(match: TissueMatch, options: ComparisonOptions) -> bool:
    if options.tissue == "auto":
        return match.correlation > SAME_TISSUE  # not where it cannot be seen
    return options.tissue == "same"
