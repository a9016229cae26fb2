"""What the two processes tell each other, pickled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from cop_core.recipes import Recipe
    from cop_core.records import State
    from cop_core.stacks import Plane
    from cop_core.stacks.model import LazyStack


@dataclass(frozen=True)
class LentStack:
    """A stack whose pixels are asked for."""

    number: int
    stack: LazyStack


@dataclass(frozen=True)
class LentSource:
    """A growing source; `planned` is as it was when it was lent."""

    number: int
    name: str
    source: str
    planned: int | None


@dataclass(frozen=True)
class SourceNews:
    """What a growing source says after a look, and when its planes were complete."""

    planes: Sequence[Plane]
    completed_at: Sequence[float]
    state: State
    waiting: int
    planned: int | None


Lent: TypeAlias = LentStack | LentSource


@dataclass(frozen=True)
class Run:
    """A recipe to be run.

    Attributes
    ----------
    number : int
        Of the run; all that is told of it carries the same.
    sources : tuple of Lent or None
        Stacks that are in no file.
    means : mapping
        Further fields of `Means`.
    then : callable or None
        Given the record at the end.
    """

    number: int
    recipe: Recipe
    sources: tuple[Lent | None, ...]
    means: Mapping[str, Any]
    then: Callable[[Any], object] | None


@dataclass(frozen=True)
class Call:
    """A function without arguments to be called."""

    number: int
    work: Callable[[], Any]


@dataclass(frozen=True)
class Cancel:
    """A run is not wanted any more."""

    number: int


@dataclass(frozen=True)
class Answer:
    """What was asked for, or why it cannot be given."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class Begun:
    """A run or call has begun, and listens to `Cancel`."""

    number: int


@dataclass(frozen=True)
class Told:
    """An event of a run."""

    number: int
    event: object


@dataclass(frozen=True)
class Problem:
    """What ended a reading before its time."""

    number: int
    error: Exception


@dataclass(frozen=True)
class Ask:
    """A method to be called on what was lent.

    Attributes
    ----------
    lent : int
        Which of the things lent in this run.
    done_with : tuple of int
        What was lent and is not used any more.
    """

    number: int
    lent: int
    method: str
    arguments: tuple[Any, ...]
    done_with: tuple[int, ...]


@dataclass(frozen=True)
class Ended:
    """A run's record, what a call returned, or what ended it."""

    number: int
    record: Any = None
    error: Exception | None = None


News: TypeAlias = Begun | Told | Problem | Ask | Ended
"""What is told by the process that reads."""
