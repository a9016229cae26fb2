"""Recipe of the measurement of a detector: a movie, and dark frames or a zero level."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from cop_core.recipes.base import Option, Part, Recipe, RefusedValueError
from cop_core.recipes.stack import StackOptions
from cop_core.recipes.values import Channel, Finite, Index, PathText, Seed


def _as_of_stack(name: str) -> Option:
    """Return the option of a stack's field."""
    return next(option for field, _, option in StackOptions.options() if field == name)


class MovieOptions(Part):
    """How the frames of a movie are opened.

    Attributes
    ----------
    source : str or None
        Path of the file or folder; None if it is not in a file.
    """

    source: PathText | None = None
    name: Annotated[
        str | None, Option("Name of the detector.", "Name", empty="name of the file")
    ] = None
    channel: Annotated[Channel, _as_of_stack("channel")] = None
    plane: Annotated[
        Index | None,
        Option("Z plane, from 0, of a movie that has several.", "Z plane", empty="the only one"),
    ] = None
    axes: Annotated[
        str | None, AfterValidator(lambda axes: axes and axes.upper()), _as_of_stack("axes")
    ] = None
    level: Annotated[Index, _as_of_stack("level")] = 0
    allow_partial: Annotated[bool, _as_of_stack("allow_partial")] = False

    def as_stack(self) -> StackOptions:
        """Return the options in the form recorded in provenance."""
        return StackOptions(**{k: v for k, v in self if k in StackOptions.model_fields})


class DetectorRecipe(Recipe):
    """A photon transfer of one channel, from a movie of a static sample."""

    kind: Literal["detector"] = "detector"
    stack: MovieOptions = MovieOptions()
    dark: Annotated[
        PathText | None,
        Option(
            "Dark frames, recorded with the same settings.",
            "Dark frames",
            metavar="FILE",
            empty="none",
            path=True,
        ),
    ] = None
    offset_counts: Annotated[
        Finite | None,
        Option(
            "Zero level in counts, if known without dark frames.",
            "Zero level (counts)",
            metavar="COUNTS",
            empty="not known",
        ),
    ] = None
    seed: Annotated[
        Seed, Option("Random seed for resampling the tiles, from which intervals come.", "Seed")
    ] = 0

    @model_validator(mode="after")
    def _one_zero(self) -> Self:
        if self.dark is not None and self.offset_counts is not None:
            raise RefusedValueError(
                "both a zero level and dark frames are set, but dark frames measure the zero level",
                advice="omit one of them",
            )
        return self
