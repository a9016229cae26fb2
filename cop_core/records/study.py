"""Records of a study: what became of each stack, and what differs between the arms."""

from __future__ import annotations

from dataclasses import dataclass, field

from cop_core.recipes import StudyRecipe, StudyStack
from cop_core.records.effects import AnalysedProfile, ArmsComparison, Comparison
from cop_core.records.profile import DepthProfile
from cop_core.records.provenance import FileIdentity, Role


@dataclass(frozen=True)
class StudyStackRecord:
    """What became of one stack of a study.

    Attributes
    ----------
    row : StudyStack
        What was asked for.
    profile : DepthProfile or None
        Over the whole depth; None where it failed.
    analysed : AnalysedProfile or None
        Within the depths that count, called by its place; None where it failed or no plane lies
        in them. Lines under other normalisations are in its `sensitivity`.
    error : str
        Why it failed; empty where it did not.
    left_out : str
        Why it enters no comparison; empty where it does.
    resumed : bool
        Whether an earlier run had finished it.
    inputs : dict of Role to FileIdentity
        Its files, as they were when it was read, by what they are to it.
    """

    row: StudyStack
    profile: DepthProfile | None = None
    analysed: AnalysedProfile | None = None
    error: str = ""
    left_out: str = ""
    resumed: bool = False
    inputs: dict[Role, FileIdentity] = field(default_factory=dict)


@dataclass(frozen=True)
class ChannelComparison:
    """Both arms of one channel, as far as they can be compared.

    Attributes
    ----------
    channel : str
        As the plan states it; empty where it does not.
    stacks : tuple of StudyStackRecord
        All stacks of the channel.
    result : Comparison, ArmsComparison or None
        Descriptive for one stack an arm, with stacks (and animals) as random effects for
        several; None where they cannot be compared.
    note : str
        Why they cannot; empty where they can.
    """

    channel: str
    stacks: tuple[StudyStackRecord, ...]
    result: Comparison | ArmsComparison | None
    note: str = ""

    @property
    def fixed(self) -> tuple[StudyStackRecord, ...]:
        """Stacks at fixed power that entered."""
        return self._arm("fixed")

    @property
    def gained(self) -> tuple[StudyStackRecord, ...]:
        """Stacks at gained power that entered."""
        return self._arm("gained")

    @property
    def left_out(self) -> tuple[StudyStackRecord, ...]:
        """Stacks that did not enter; each says why."""
        return tuple(stack for stack in self.stacks if stack.left_out)

    def _arm(self, arm: str) -> tuple[StudyStackRecord, ...]:
        return tuple(s for s in self.stacks if s.row.arm == arm and not s.left_out)


@dataclass(frozen=True)
class StudyRecord:
    """What a study found.

    Attributes
    ----------
    recipe : StudyRecipe
        What was asked for.
    stacks : tuple of StudyStackRecord
        In the order of the recipe.
    comparisons : tuple of ChannelComparison
        One a channel, in the order in which the stacks first name them.
    sensitivity : dict of str to tuple of ChannelComparison
        The same comparisons of the stacks read with other normalisations, by their names.
    """

    recipe: StudyRecipe
    stacks: tuple[StudyStackRecord, ...]
    comparisons: tuple[ChannelComparison, ...]
    sensitivity: dict[str, tuple[ChannelComparison, ...]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """What it comes to, channel by channel."""
        said = [
            f"{each.channel}: {text}" if each.channel else text
            for each in self.comparisons
            if (text := each.result.verdict if each.result else f"Not compared: {each.note}")
        ]
        return " ".join(said)

    @property
    def failed(self) -> tuple[StudyStackRecord, ...]:
        """Stacks that could not be opened or read."""
        return tuple(stack for stack in self.stacks if stack.error)

    @property
    def resumed(self) -> tuple[StudyStackRecord, ...]:
        """Stacks that an earlier run had finished."""
        return tuple(stack for stack in self.stacks if stack.resumed)
