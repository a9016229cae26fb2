"""Messages between the two processes, pickled."""

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
    """A stack whose pixels are requested when needed."""

    number: int
    stack: LazyStack


@dataclass(frozen=True)
class LentSource:
    """A growing source; `planned` is its value at the time of lending."""

    number: int
    name: str
    source: str
    planned: int | None


@dataclass(frozen=True)
class SourceNews:
    """The state of a growing source after a look, and when its planes were complete."""

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
        Number of the run, which all its messages carry.
    sources : tuple of Lent or None
        Stacks that are not in a file.
    means : mapping
        Further fields of `Means`.
    then : callable or None
        Called with the record at the end.
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
    """Cancels a run."""

    number: int


@dataclass(frozen=True)
class Answer:
    """The answer to a request, or the error."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class Begun:
    """A run or call has begun, and responds to `Cancel`."""

    number: int


@dataclass(frozen=True)
class Told:
    """An event of a run."""

    number: int
    event: object


@dataclass(frozen=True)
class Problem:
    """The error that ended a reading early."""

    number: int
    error: Exception


@dataclass(frozen=True)
class Ask:
    """A method to be called on a lent object.

    Attributes
    ----------
    lent : int
        Number of the object among those lent in this run.
    done_with : tuple of int
        Lent objects that are no longer used.
    """

    number: int
    lent: int
    method: str
    arguments: tuple[Any, ...]
    done_with: tuple[int, ...]


@dataclass(frozen=True)
class Ended:
    """A run's record, a call's result, or the error that ended it."""

    number: int
    record: Any = None
    error: Exception | None = None


News: TypeAlias = Begun | Told | Problem | Ask | Ended
"""Messages of the reading process."""
