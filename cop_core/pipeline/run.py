"""`run`: from a recipe to a record, whoever asks."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import Any

from cop_core.errors import CancelledError
from cop_core.pipeline.cluster import workers_of
from cop_core.pipeline.events import Means
from cop_core.pipeline.reading import open_all, read_all, with_sensitivity
from cop_core.pipeline.views import views_of
from cop_core.power import SIGNAL, Recommendation, recommend_power
from cop_core.recipes import (
    CheckRecipe,
    CompareRecipe,
    ProfileRecipe,
    Recipe,
    RecommendRecipe,
    WatchRecipe,
)
from cop_core.records import AnalysedProfile, Comparison
from cop_core.stacks.check import FileCheck, check_file
from cop_core.stacks.growing import open_growing
from cop_core.statistics import analyse, compare, within


def run(recipe: Recipe, **means: Any) -> Any:
    """Do what a recipe asks for.

    Parameters
    ----------
    recipe : Recipe
        What is asked for.
    **means
        Fields of `Means`: ``on_event``, ``cancelled``, ``sources`` for stacks that are in no
        file ...

    Returns
    -------
    AnalysedProfile, Comparison, Recommendation, StudyRecord or FileCheck
        What was found. Where `cancelled` says so, planes that were not read say that.

    Raises
    ------
    InputError
        If a stack, table or weights cannot be used.
    """
    with workers_of(Means(**means)) as all_means:
        return run_with(recipe, all_means)


@singledispatch
def run_with(recipe: Recipe, means: Means) -> Any:
    """Do what a kind of recipe asks for."""
    raise TypeError(f"nothing runs a {type(recipe).__name__}")


@run_with.register
def _profile(recipe: ProfileRecipe, means: Means) -> AnalysedProfile:
    stacks = open_all([recipe.stack], means)
    (profile,) = read_all(stacks, recipe.reading, [recipe.stack.name], means)
    if recipe.window_um is not None:
        profile = within(profile, recipe.window_um)
    found = analyse(profile, level=recipe.level)
    if recipe.sensitivity:
        (found,) = with_sensitivity([found], stacks, recipe.window_um, means)
    return found


@run_with.register
def _compare(recipe: CompareRecipe, means: Means) -> Comparison:
    stacks = open_all(recipe.stacks, means)
    names = [options.name for options in recipe.stacks]
    first, second = read_all(stacks, recipe.reading, names, means)
    both = compare(first, second, recipe.comparison, window_um=recipe.window_um)
    if recipe.sensitivity:
        one, other = with_sensitivity(both.analysed, stacks, recipe.window_um, means)
        both = replace(both, first=one, second=other)
    return replace(both, views=views_of(stacks, both, means))


@run_with.register
def _check(recipe: CheckRecipe, means: Means) -> FileCheck:
    return check_file(recipe.stack, every=recipe.every, progress=means.progress("looking"))


@run_with.register
def _watch(recipe: WatchRecipe, means: Means) -> AnalysedProfile:
    (given,) = means.sources or (None,)
    source = given or open_growing(
        recipe.stack.source or "",
        recipe.stack,
        stopped_after_s=recipe.stopped_after_s,
        planned=recipe.planned,
    )
    (profile,) = read_all([source], recipe.reading, [recipe.stack.name], means)
    return analyse(profile)


@run_with.register
def _recommend(recipe: RecommendRecipe, means: Means) -> Recommendation:
    (source,) = open_all([recipe.stack], means)
    profile, reading = means.profile, recipe.reading
    if profile is None and (recipe.from_profile or recipe.power.hold != SIGNAL):
        (profile,) = read_all([source], recipe.reading, [recipe.stack.name], means)
        reading = profile.reading
        if means.cancelled():
            raise CancelledError("cancelled", where=profile.name)
    found = recommend_power(
        profile if recipe.from_profile else source,
        recipe.power,
        reading=reading,
        profile=profile,
        progress=means.progress("measuring planes"),
    )
    assert found.recipe is not None
    return replace(found, recipe=found.recipe.but(acquisition=recipe.acquisition))
