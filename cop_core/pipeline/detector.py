"""Run of a measurement of a detector, from a movie and dark frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core._version import __version__
from cop_core.detector import Movie, measure_detector, read_movie
from cop_core.errors import InputError
from cop_core.pipeline.events import Means, Working
from cop_core.pipeline.run import run_with
from cop_core.recipes import DetectorRecipe, MovieOptions
from cop_core.records import PhotonTransfer, Provenance
from cop_core.stacks import Stack, open_movie
from cop_core.stacks.files import file_state

if TYPE_CHECKING:
    from cop_core.stacks.growing import Source

DARK: Final = "dark frames"


@run_with.register(DetectorRecipe)
def _detector(recipe: DetectorRecipe, means: Means) -> PhotonTransfer:
    given = dict(enumerate(means.sources))
    opened = {"movie": _open(recipe.stack, given.get(0))}
    if recipe.dark is not None or given.get(1) is not None:
        opened[DARK] = _open(recipe.stack.but(source=recipe.dark, name=DARK), given.get(1))
    made = {name: _provenance(stack) for name, stack in opened.items()}
    movies = {name: _read(name, stack, means) for name, stack in opened.items()}
    means.on_event(Working("measuring the detector"))
    found = measure_detector(movies["movie"], movies.get(DARK), recipe)
    return replace(found, provenance={found.name: made.pop("movie"), **made})


def _open(options: MovieOptions, given: Stack | Source | None) -> Stack:
    if isinstance(given, Stack):
        return given
    if options.source is None:
        raise InputError(
            "the recipe names no file for the movie", advice="pass the movie with the recipe"
        )
    return open_movie(options.source, options)


def _read(name: str, stack: Stack, means: Means) -> Movie:
    return read_movie(stack, means.progress("reading frames", name))


def _provenance(stack: Stack) -> Provenance:
    return Provenance(
        source=stack.source,
        opened=stack.options,
        image=stack.image,
        files=file_state(stack.source),
        versions={"napari-cop": __version__, "numpy": np.__version__},
    )
