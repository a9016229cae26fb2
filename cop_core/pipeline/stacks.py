"""Runs on one or two stacks: profile, compare, check, watch and recommend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cop_core.errors import CancelledError
from cop_core.pipeline.events import Means
from cop_core.pipeline.reading import open_all, read_all, with_sensitivity
from cop_core.pipeline.run import run_with
from cop_core.pipeline.views import views_of
from cop_core.power import SIGNAL, Recommendation, recommend_power, require_recommendable
from cop_core.reading import estimator_for
from cop_core.recipes import (
    CheckRecipe,
    CompareRecipe,
    ProfileRecipe,
    RecommendRecipe,
    WatchRecipe,
    Window,
)
from cop_core.records import AnalysedProfile, Comparison, DepthProfile
from cop_core.stacks import Stack
from cop_core.stacks.check import FileCheck, check_file
from cop_core.stacks.growing import Source, open_growing
from cop_core.statistics import analyse, compare, planes_within, within


@run_with.register
def _profile(recipe: ProfileRecipe, means: Means) -> AnalysedProfile:
    stacks = open_all([recipe.stack], means)
    _require_planes_within(stacks, recipe.window_um)
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
    _require_planes_within(stacks, recipe.window_um)
    names = [options.name for options in recipe.stacks]
    first, second = read_all(stacks, recipe.reading, names, means)
    both = compare(first, second, recipe.comparison, window_um=recipe.window_um)
    if recipe.sensitivity:
        one, other = with_sensitivity(both.analysed, stacks, recipe.window_um, means)
        both = replace(both, first=one, second=other)
    return replace(both, views=views_of(stacks, both, means))


def _require_planes_within(stacks: Sequence[Stack | Source], window_um: Window | None) -> None:
    """Refuse a depth window without any planes of a stack, if its depths are known."""
    for stack in stacks:
        if window_um is not None and isinstance(stack, Stack):
            planes_within(stack.depth_um, window_um, stack.name)


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
        estimator = means.estimator or estimator_for(reading)
        means, reading = replace(means, estimator=estimator), estimator.read_with(reading)
    if profile is None and recipe.from_profile:
        if isinstance(source, Stack):  # the planes of others are not known yet
            require_recommendable(source, recipe.power, reading, means.estimator)
        profile = _read_for_power(source, recipe, means)
    found = recommend_power(
        profile if recipe.from_profile else source,
        recipe.power,
        reading=reading,
        profile=profile,
        estimator=means.estimator,
        read=lambda: _read_for_power(source, recipe, means),
        progress=means.progress("measuring planes"),
    )
    assert found.recipe is not None
    return replace(found, recipe=found.recipe.but(acquisition=recipe.acquisition))


def _read_for_power(source: Stack | Source, recipe: RecommendRecipe, means: Means) -> DepthProfile:
    (profile,) = read_all([source], recipe.reading, [recipe.stack.name], means)
    if means.cancelled():
        raise CancelledError("cancelled", where=profile.name)
    return profile
