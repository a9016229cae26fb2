"""From the readings of a cohort to its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.cohort.attribution import NoiseTable, attribute
from cop_core.cohort.correlation import LEAST, correlations_of
from cop_core.cohort.next_experiment import next_experiment_of
from cop_core.cohort.surrogate import Design
from cop_core.cohort.table import rows_of, sizes
from cop_core.cohort.turn import turn_of
from cop_core.cohort.variables import confounded_in, factor_name, factors_of, variables_of
from cop_core.cohort.verdict import verdict_of
from cop_core.components import CLEAN, COMPONENT_NAMES, spoken
from cop_core.errors import InputError
from cop_core.records import CohortRecord
from cop_core.statistics.reading_bootstrap import typical_doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cop_core.cohort.surrogate import Progress
    from cop_core.cohort.variables import Variable
    from cop_core.recipes import CohortRecipe
    from cop_core.records import Attribution, CohortRow, PictureRecord, Turn

FEW: Final = 40
"""Rows below which a cohort is called small."""


def analyse_cohort(
    recipe: CohortRecipe,
    pictures: Sequence[PictureRecord],
    progress: Progress = lambda _done, _total: None,
) -> CohortRecord:
    """Return the results of images that were read.

    Raises
    ------
    InputError
        None of them could be read.
    """
    rows = rows_of(pictures, recipe.group)
    if not rows:
        why = next((each.error for each in pictures if each.error), "no plane can be used")
        raise InputError(f"none of {len(pictures)} images can be read ({why})")
    components = next(each.profile.components for each in pictures if each.profile)
    variables, left_out = variables_of(rows)
    confounded = confounded_in(variables)
    factors = factors_of(variables, confounded)
    found = CohortRecord(
        recipe=recipe,
        pictures=tuple(pictures),
        components=components,
        rows=rows,
        settings=tuple(each.name for each in variables),
        left_out=left_out,
        uncertain=_uncertain(rows, components),
        factors=tuple(map(factor_name, factors)),
        correlations=correlations_of(rows, variables, components),
        confounded=confounded,
    )
    if not recipe.correlation_only:
        found = _attributed(found, factors, progress)
    advice = next_experiment_of(found, variables)
    found = replace(found, next_experiment=advice, caveats=tuple(_caveats(found)))
    return replace(found, verdict=verdict_of(found))


def _uncertain(rows: Sequence[CohortRow], components: Sequence[str]) -> tuple[str, ...]:
    sd = np.std([row.strengths for row in rows], axis=0)
    doubts = np.array([row.uncertainty for row in rows])
    return tuple(c for i, c in enumerate(components) if sd[i] < typical_doubt(doubts[:, i]))


def _attributed(
    found: CohortRecord, factors: tuple[tuple[Variable, ...], ...], progress: Progress
) -> CohortRecord:
    recipe, rows = found.recipe, found.rows
    design = Design.of(factors, [row.group for row in rows])
    table = _noises(rows, found.components)
    attributions = attribute(
        design, table, permutations=recipe.permutations, seed=recipe.seed, progress=progress
    )
    turn = _turn(attributions, design, table, recipe)
    return replace(found, attributions=attributions, turn=turn)


def _noises(rows: Sequence[CohortRow], components: tuple[str, ...]) -> NoiseTable:
    kept = [i for i, component in enumerate(components) if component != CLEAN]
    strengths, uncertainty = (
        np.array([getattr(row, name) for row in rows])[:, kept]
        for name in ("strengths", "uncertainty")
    )
    return NoiseTable(tuple(components[i] for i in kept), strengths, uncertainty)


def _turn(
    attributions: Sequence[Attribution], design: Design, table: NoiseTable, recipe: CohortRecipe
) -> Turn | None:
    """Return the setting to change against the strongest attributed noise."""
    drawn = [each for each in attributions if each.drawn]
    if not drawn:
        return None
    leading = max(drawn, key=lambda each: each.mean).component
    y = table.strengths[:, table.components.index(leading)]
    return turn_of(leading, design, y, recipe.not_chosen, seed=recipe.seed)


def _caveats(found: CohortRecord) -> Iterator[str]:
    """Yield the caveats."""
    rows, n_groups = found.rows, len(sizes(found.rows))
    failed = len(found.failed)
    if failed:
        yield f"{failed} of {len(found.pictures)} images could not be read and are left out"
    if found.uncompared:
        yield (
            f"{len(found.uncompared)} of {len(found.pictures)} images have no PSNR and SSIM: "
            "their references cannot be used"
        )
    if len(rows) > 1 and len({row.picture for row in rows}) == 1:
        yield (
            "all rows are planes of one stack: anything else that changed along it is confounded "
            "with depth, and R² is for blocks of planes that lie between others"
        )
    if len(rows) < FEW:
        yield f"there are only {len(rows)} rows: intervals are wide, and weak causes are missed"
    if n_groups < LEAST:
        yield f"{n_groups} groups are too few for intervals and p values"
    if found.uncertain:
        names = ", ".join(
            COMPONENT_NAMES.get(component, component) for component in found.uncertain
        )
        yield (
            "varies by less than the uncertainty of its readings, so nothing can be "
            f"concluded: {names}"
        )
    if found.confounded:
        pairs = ", ".join(f"{c.first} and {c.second}" for c in found.confounded)
        yield f"changed together, so their effects cannot be separated: {pairs}"
    if leading := _unexplained_leader(found.attributions):
        yield leading
    if any(each.drawn for each in found.attributions):
        yield (
            "attribution shows what varies with a setting in these images: a cause that was not "
            "recorded but changed together with a setting is attributed to that setting"
        )


def _unexplained_leader(attributions: Sequence[Attribution]) -> str:
    """Return a caveat if the strongest noise is not the one explained."""
    if not attributions:
        return ""
    leader = max(attributions, key=lambda each: each.mean)
    if leader.drawn or not any(each.drawn for each in attributions):
        return ""
    return (
        f"the strongest noise is {spoken(leader.component)} noise ({100 * leader.mean:.0f} % on "
        f"average), which is not attributed: {leader.note}"
    )
