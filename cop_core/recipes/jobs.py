"""Whole recipes: one for each task of the program."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from cop_core.recipes.base import Option, Part, Recipe, RefusedValueError
from cop_core.recipes.comparison import USABLE_STRENGTH, ComparisonOptions, UsableStrength
from cop_core.recipes.power_options import AcquisitionOptions, PowerOptions
from cop_core.recipes.reading import ReadingOptions
from cop_core.recipes.stack import StackOptions
from cop_core.recipes.values import (
    Count,
    DepthWindow,
    NotNegative,
    PathText,
    Positive,
    Seed,
    folder_name,
)

Depths = Annotated[
    DepthWindow | None,
    Option(
        "Depths in µm used in fits, such as 800:1300, 800: or :1300.",
        "Depths (µm)",
        metavar="LOW:HIGH",
        empty="all",
    ),
]
Sensitivity = Annotated[
    bool,
    Option(
        "Also read with the other normalisations and report how slopes differ.",
        "Read with every normalisation",
    ),
]


class ProfileRecipe(Recipe):
    """Noise against depth of one stack."""

    kind: Literal["profile"] = "profile"
    stack: StackOptions = StackOptions()
    reading: ReadingOptions = ReadingOptions()
    window_um: Depths = None
    level: UsableStrength = USABLE_STRENGTH
    sensitivity: Sensitivity = False


class CompareRecipe(Recipe):
    """A comparison of two stacks of two protocols, the first minus the second.

    The protocols are named after the stacks.
    """

    kind: Literal["comparison"] = "comparison"
    stacks: tuple[StackOptions, StackOptions] = (StackOptions(), StackOptions())
    reading: ReadingOptions = ReadingOptions()
    comparison: ComparisonOptions = ComparisonOptions()
    window_um: Depths = None
    sensitivity: Sensitivity = False


class RecommendRecipe(Recipe):
    """The power to use next, from one stack.

    Attributes
    ----------
    from_profile : bool
        Whether to use plane means of a reading in place of the bright structures of the pixels.
    """

    kind: Literal["recommendation"] = "recommendation"
    stack: StackOptions = StackOptions()
    reading: ReadingOptions = ReadingOptions()
    power: PowerOptions
    acquisition: AcquisitionOptions | None = AcquisitionOptions()
    from_profile: bool = False


ARMS: Final = ("fixed", "gained")
"""The usual protocols, which are recognised in file names and read regardless of case."""
_TAKEN: Final = ("figures", "sensitivity", "study.html", "study.json", "study.csv")
"""Names that a study uses in its folder besides those of the arms."""


def _arm(name: str) -> str:
    """Return the name of an arm; refuse a name that cannot be a folder of its own."""
    if name.lower() in ARMS:
        return name.lower()
    if not name.strip() or not name.isprintable():
        raise RefusedValueError(f"{name!r} cannot be used as the name of a protocol")
    if folder_name(name).lower() in _TAKEN:
        raise RefusedValueError(
            f"{name!r} is reserved for a file of the study", advice="use another name"
        )
    return name


Arm = Annotated[str, AfterValidator(_arm)]


class StudyStack(Part):
    """One stack of a study.

    Attributes
    ----------
    line : int
        Line of the stack in the plan, from 1; 0 if it is in no plan.
    animal, channel : str
        Animal and channel of the stack, as written; empty if not stated.
    """

    stack: StackOptions
    arm: Annotated[
        Arm,
        Option("Name of the protocol, such as fixed or gained.", "Arm", metavar="NAME"),
    ]
    animal: Annotated[
        str,
        Option(
            "Animal from which the stack comes; fill in for all stacks or for none.",
            "Animal",
            metavar="ANIMAL",
        ),
    ] = ""
    channel: str = ""
    line: int = 0

    @field_validator("stack")
    @classmethod
    def _named(cls, stack: StackOptions) -> StackOptions:
        if not stack.name:
            raise RefusedValueError("a stack of a study needs a name")
        if stack.name != (fit := folder_name(stack.name)):
            raise RefusedValueError(
                f"{stack.name!r} is not a valid folder name", advice=f"use {fit!r}, for example"
            )
        return stack

    @property
    def name(self) -> str:
        """Name of the stack, unique in its arm."""
        return self.stack.name or ""

    @property
    def place(self) -> str:
        """Its folder within the study, ``<arm>/<name>``, unique to this stack."""
        return f"{folder_name(self.arm)}/{self.name}"


class StudyRecipe(Recipe):
    """Many stacks in two or more arms, read one by one, then compared pair by pair.

    Attributes
    ----------
    plan : str or None
        CSV from which the stacks come.
    defaults : StackOptions
        Options for all stacks for which the plan does not set others; already included in `stacks`.
    """

    kind: Literal["study"] = "study"
    plan: PathText | None = None
    defaults: StackOptions = StackOptions()
    stacks: tuple[StudyStack, ...] = Field(min_length=1)
    reading: ReadingOptions = ReadingOptions()
    comparison: ComparisonOptions = ComparisonOptions()
    window_um: Depths = None
    sensitivity: Sensitivity = False

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        ((place, n),) = Counter(s.place.casefold() for s in self.stacks).most_common(1)
        if n > 1:
            raise RefusedValueError(f"{n} stacks are called {place}", advice="rename all but one")
        arms = {s.arm for s in self.stacks}
        if len(arms) > len({folder_name(arm).casefold() for arm in arms}):
            raise RefusedValueError(
                "two arms would share a folder", advice="use one name, or two that differ more"
            )
        if len({bool(stack.animal) for stack in self.stacks}) > 1:
            raise RefusedValueError(
                "only some stacks have an animal", advice="fill it in for all stacks or for none"
            )
        return self


class WatchRecipe(Recipe):
    """A stack read while it is acquired."""

    kind: Literal["watch"] = "watch"
    stack: StackOptions = StackOptions()
    reading: ReadingOptions = ReadingOptions()
    stopped_after_s: Annotated[
        Positive,
        Option(
            "Time without a new plane after which the acquisition counts as stopped, if nothing "
            "else marks its end.",
            "Stop after (s)",
            metavar="SECONDS",
            flags=("--stop-after",),
        ),
    ] = 30.0
    planned: Annotated[
        Count | None,
        Option(
            "Total number of planes, if the file does not say.", "Total planes", empty="as stated",
            flags=("--planes",),
        ),
    ] = None  # fmt: skip


class CheckRecipe(Recipe):
    """A check of what a file is and what it lacks, without running the network."""

    kind: Literal["check"] = "check"
    stack: StackOptions = StackOptions()
    every: Annotated[
        bool,
        Option("Check the pixels of all planes, not just a dozen.", flags=("--all",)),
    ] = False


class SimulateRecipe(Recipe):
    """A simulated pair of stacks on disk, with the true values."""

    kind: Literal["simulation"] = "simulation"
    preset: Annotated[
        Literal["sample", "paper"],
        Option("sample (60 planes of 256x256) or paper (326 of 512x512).", "Preset"),
    ] = "sample"
    seed: Annotated[Seed, Option("Random seed for tissue and noise.", "Seed")] = 0


class SimulateCohortRecipe(Recipe):
    """A simulated cohort on disk, with known effects of settings on the noise."""

    kind: Literal["simulated-cohort"] = "simulated-cohort"
    model: Annotated[
        Literal["camera", "multiphoton"],
        Option("camera (ISO, shutter ...) or multiphoton (power, dwell time ...).", "Instrument"),
    ] = "camera"
    pictures: Annotated[Count, Option("Number of images.", "Images")] = 80
    seed: Annotated[Seed, Option("Random seed for settings, scenes and noise.", "Seed")] = 0


class AcquireRecipe(SimulateRecipe):
    """An acquisition of both protocols of a preset by the simulated microscope, read live."""

    kind: Literal["acquisition"] = "acquisition"  # type: ignore[assignment]
    reading: ReadingOptions = ReadingOptions()
    max_power_mw: Annotated[
        Positive,
        Option("Power limit of the laser, in mW at the sample.", "Limit (mW)", metavar="MW"),
    ] = 60.0
    frame_ms: Annotated[
        NotNegative, Option("Time per frame, in ms.", "Frame (ms)", metavar="MS")
    ] = 100.0
