"""Records of a study: the result of each stack, and the differences between the arms."""

from __future__ import annotations

from dataclasses import dataclass, field

from cop_core.recipes import StudyRecipe, StudyStack
from cop_core.records.analysed import AnalysedProfile
from cop_core.records.arms import ArmsComparison
from cop_core.records.comparison import Comparison
from cop_core.records.profile import DepthProfile
from cop_core.records.provenance import FileIdentity, Role


@dataclass(frozen=True)
class StudyStackRecord:
    """Result of one stack of a study.

    Attributes
    ----------
    row : StudyStack
        What was asked for.
    profile : DepthProfile or None
        Over the whole depth; None if it failed.
    analysed : AnalysedProfile or None
        Within the depth window, named after its place; None if it failed or no plane lies in the
        window. Lines with other normalisations are in its `sensitivity`.
    error : str
        Why it failed; empty if it did not.
    left_out : str
        Why it is left out of all comparisons; empty if it is not.
    resumed : bool
        Whether an earlier run had finished it.
    inputs : dict of Role to FileIdentity
        Its files by role, as they were when it was read.
    """

    row: StudyStack
    profile: DepthProfile | None = None
    analysed: AnalysedProfile | None = None
    error: str = ""
    left_out: str = ""
    resumed: bool = False
    inputs: dict[Role, FileIdentity] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    """One protocol of a channel, and its stacks in the comparison."""

    name: str
    stacks: tuple[StudyStackRecord, ...]


@dataclass(frozen=True)
class ArmPair:
    """Two arms of a channel, and their comparison if there can be one.

    Attributes
    ----------
    result : Comparison, ArmsComparison or None
        Plane by plane for one stack per arm, animal by animal for several; None if they cannot be
        compared. With more than two arms, p values are corrected over all pairs.
    note : str
        Why they cannot be compared; empty if they can.
    """

    first: Arm
    second: Arm
    result: Comparison | ArmsComparison | None
    note: str = ""


@dataclass(frozen=True)
class ChannelComparison:
    """All arms of one channel, pair by pair.

    Attributes
    ----------
    channel : str
        As stated in the plan; empty if it is not.
    stacks : tuple of StudyStackRecord
        All stacks of the channel.
    arms : tuple of Arm
        In the order in which the stacks first name them.
    pairs : tuple of ArmPair
        Each pair of arms, the first minus the second in that order.
    note : str
        Why there is no pair; empty if there is one.
    verdict : str
        The conclusion, in a few sentences; empty without a pair.
    """

    channel: str
    stacks: tuple[StudyStackRecord, ...]
    arms: tuple[Arm, ...]
    pairs: tuple[ArmPair, ...]
    note: str = ""
    verdict: str = ""

    @property
    def left_out(self) -> tuple[StudyStackRecord, ...]:
        """Stacks that were left out; each states the reason."""
        return tuple(stack for stack in self.stacks if stack.left_out)


@dataclass(frozen=True)
class StudyRecord:
    """Result of a study.

    Attributes
    ----------
    recipe : StudyRecipe
        What was asked for.
    stacks : tuple of StudyStackRecord
        In the order of the recipe.
    comparisons : tuple of ChannelComparison
        One per channel, in the order in which the stacks first name them.
    sensitivity : dict of str to tuple of ChannelComparison
        The same comparisons of the stacks read with other normalisations, by their names.
    """

    recipe: StudyRecipe
    stacks: tuple[StudyStackRecord, ...]
    comparisons: tuple[ChannelComparison, ...]
    sensitivity: dict[str, tuple[ChannelComparison, ...]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The conclusion, channel by channel."""
        said = (
            (each.channel, each.verdict or f"Not compared: {each.note}")
            for each in self.comparisons
        )
        return " ".join(f"{channel}: {text}" if channel else text for channel, text in said)

    @property
    def failed(self) -> tuple[StudyStackRecord, ...]:
        """Stacks that could not be opened or read."""
        return tuple(stack for stack in self.stacks if stack.error)

    @property
    def resumed(self) -> tuple[StudyStackRecord, ...]:
        """Stacks finished by an earlier run."""
        return tuple(stack for stack in self.stacks if stack.resumed)
