"""Recipe of a cohort: images, the settings with which they were taken, and the analysis."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from cop_core.errors import option
from cop_core.recipes.base import Option, Part, Recipe, RefusedValueError
from cop_core.recipes.reading import ReadingOptions
from cop_core.recipes.stack import StackOptions
from cop_core.recipes.values import MOST, Finite, PathText, Seed, folder_name, whole

SettingValue = Finite | str
"""A number in the unit at the end of the setting's name, or a word such as a camera's model."""

COHORT_FILE: Final = "cohort.json"
"""File of a report: files beside and below it are not images of a cohort."""
N_PERMUTATIONS: Final = 99
_LEAST: Final = 19
"""Smallest number of permutations that can give a p of 0.05."""
Permutations = Annotated[int, Field(ge=_LEAST, le=MOST), whole(_LEAST)]


class CohortPicture(Part):
    """One image of a cohort, or one stack, each plane of which is an image.

    Attributes
    ----------
    picture : StackOptions
        How it is opened; its name is unique in the cohort.
    settings : dict
        Value by the setting's name; settings that are not known are absent.
    reference : StackOptions or None
        The same image without noise, for comparison.
    """

    picture: StackOptions
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    reference: StackOptions | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.picture.name:
            raise RefusedValueError("an image of a cohort needs a name")
        if self.name != (fit := folder_name(self.name)):
            raise RefusedValueError(
                f"{self.name!r} is not a valid file name", advice=f"use {fit!r}, for example"
            )
        return self

    @property
    def name(self) -> str:
        """Name, unique in the cohort."""
        return self.picture.name or ""


class CohortRecipe(Recipe):
    """An analysis of which settings drive which noise, over images taken with different settings.

    Attributes
    ----------
    source : str or None
        Folder or CSV from which the images come.
    defaults : StackOptions
        Options for all images; already included in `pictures`.
    """

    kind: Literal["cohort"] = "cohort"
    source: PathText | None = None
    defaults: StackOptions = StackOptions()
    pictures: tuple[CohortPicture, ...] = Field(min_length=1)
    pattern: Annotated[
        str | None,
        Option(
            "Pattern for the file names; words in braces become settings, as in "
            "{camera}_iso{iso}_{scene}_real. Files whose names do not match are left out.",
            "File names",
            metavar="PATTERN",
            empty="not used",
        ),
    ] = None
    reference: Annotated[
        str | None,
        Option(
            "Pattern for the noise-free version of each image, in the same folder, using the "
            "words of --pattern: {camera}_iso{iso}_{scene}_mean.png.",
            "Reference images",
            metavar="PATTERN",
            empty="none",
        ),
    ] = None
    group: Annotated[
        str | None,
        Option(
            "Setting that defines which images belong together (scene, sample, device); each "
            "group is predicted from the others.",
            "Group by",
            metavar="SETTING",
            empty="each stack",
        ),
    ] = None
    given: Annotated[
        str | None,
        Option(
            "Settings that cannot be changed, separated by commas, in addition to depth, "
            "temperature and brightness; they are never recommended.",
            "Fixed settings",
            metavar="SETTING,...",
            empty="no others",
        ),
    ] = None
    reading: ReadingOptions = ReadingOptions()
    correlation_only: Annotated[
        bool,
        Option("Compute correlations only, without attribution to settings.", "Correlation only"),
    ] = False
    permutations: Annotated[
        Permutations,
        Option("Permutations for the p value of the attribution.", "Permutations"),
    ] = N_PERMUTATIONS
    seed: Annotated[Seed, Option("Random seed for folds, permutations and resamples.", "Seed")] = 0

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        ((name, n),) = Counter(one.name.casefold() for one in self.pictures).most_common(1)
        if n > 1:
            raise RefusedValueError(f"{n} images are called {name}", advice="rename all but one")
        if self.group and not any(self.group in one.settings for one in self.pictures):
            raise RefusedValueError(
                f"no image has the setting {self.group!r} to group by",
                advice=f"use the name of a column of the table, or a word of {option('pattern')}",
            )
        return self

    @property
    def not_chosen(self) -> tuple[str, ...]:
        """Names of the settings that cannot be chosen."""
        return tuple(filter(None, (name.strip() for name in (self.given or "").split(","))))
