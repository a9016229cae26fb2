"""`run`: from a recipe to a record, for all interfaces."""

from __future__ import annotations

from functools import singledispatch
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from cop_core.pipeline.events import Means

if TYPE_CHECKING:
    from cop_core.recipes import Recipe

_RUNNERS: Final = ("cohort", "detector", "simulated", "stacks", "study", "training")
"""Modules of this package that run each kind of recipe; they import PyTorch."""


def run(recipe: Recipe, **means: Any) -> Any:
    """Run a recipe.

    Parameters
    ----------
    recipe : Recipe
        The request.
    **means
        Fields of `Means`: ``on_event``, ``cancelled``, ``sources`` for stacks that are not in a
        file ...

    Returns
    -------
    AnalysedProfile, Comparison, Recommendation, StudyRecord, PhotonTransfer, CohortRecord ...
        The result, by the kind of recipe. If `cancelled` returns True, the remaining planes are
        marked as not read.

    Raises
    ------
    InputError
        If a stack, table or weights cannot be used.
    """
    from cop_core.pipeline.cluster import workers_of

    for name in _RUNNERS:
        import_module(f"cop_core.pipeline.{name}")
    with workers_of(Means(**means)) as all_means:
        return run_with(recipe, all_means)


@singledispatch
def run_with(recipe: Recipe, means: Means) -> Any:
    """Run a recipe of one kind."""
    raise TypeError(f"a {type(recipe).__name__} cannot be run")
