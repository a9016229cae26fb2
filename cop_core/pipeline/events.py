"""What a running recipe tells of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cop_core.errors import CancelledError
from cop_core.recipes import WorkersOptions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cop_core.reading import Estimator
    from cop_core.reading.plane_blocks import Elsewhere, StackWork
    from cop_core.records import DepthProfile, ReadingStep
    from cop_core.stacks import Stack
    from cop_core.stacks.growing import Source


@dataclass(frozen=True)
class Working:
    """What is being done.

    Attributes
    ----------
    what : str
        In words, ``"loading the network"``.
    name : str
        Of the stack or file that it is done to.
    done, total : int
        How far it is; 0 of 0 where that is not known.
    """

    what: str
    name: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Opened:
    """The stacks are open.

    Attributes
    ----------
    names, components : tuple of str
        Of the stacks, and of the strengths that will be read.
    depth_um : tuple of ndarray
        Depths of each stack's planes; empty where they are still to come.
    """

    names: tuple[str, ...]
    components: tuple[str, ...]
    depth_um: tuple[npt.NDArray[np.float64], ...]


@dataclass(frozen=True)
class Stepped:
    """A step of the reading of one stack.

    Attributes
    ----------
    stack : int
        Which of the stacks.
    planned : int or None
        Planes in all, where known.
    """

    stack: int
    name: str
    step: ReadingStep
    planned: int | None = None


@dataclass(frozen=True)
class SoFar:
    """What the planes of a stack that were read until now come to.

    Attributes
    ----------
    stack : int
        Which of the stacks.
    n_planes : int
        Planes that it is about; more may have been read since.
    verdict : str
        In a sentence or two.
    """

    stack: int
    name: str
    n_planes: int
    verdict: str

    @property
    def said(self) -> str:
        """The verdict, and after how many planes."""
        return f"After {self.n_planes} planes: {self.verdict}"


Event: TypeAlias = Working | Opened | Stepped | SoFar
OnEvent: TypeAlias = Callable[[object], None]
"""Told of an `Event`, or of what became of a stack of a study."""
OnProblem: TypeAlias = Callable[[Exception], None]
"""Told of what ended a reading before its time."""
Cancelled: TypeAlias = Callable[[], bool]
"""Asked after every step."""


def ignore(_event: object) -> None:
    """Tell nobody."""


def never() -> bool:
    """Never cancel."""
    return False


@dataclass(frozen=True)
class Means:
    """With what a recipe is run, beside what it says itself.

    Attributes
    ----------
    sources : sequence of Stack, Source or None
        In place of the files that the recipe names, one for each stack.
    estimator : Estimator or None
        In place of the weights that it names.
    profile : DepthProfile or None
        What was read before of the stack that power is recommended for.
    on_event, cancelled : callable
        Told of every step; asked after it.
    on_problem : callable or None
        Told of what ended a reading before its time; that is raised where None.
    folder : Path or None
        What is written while it runs goes there: a study, a simulated pair, weights.
    batch_size : int or None
        Most crops in one step.
    hashed : bool or None
        Whether the SHA-256 of stacks goes into reports written meanwhile; None: of those of up
        to 20 GB.
    resume : bool
        Whether stacks of a study that an earlier run finished are not read again.
    workers : WorkersOptions
        Who reads finished stacks that have a path or an address.
    elsewhere : callable or None
        Has them read, as `StackReader` asks; `run` puts it in.
    failed : mapping of str to str
        Stacks of a study that are not tried, by place, and why.
    so_far : bool
        Whether `SoFar` is told now and then while a stack is read.
    """

    sources: Sequence[Stack | Source | None] = ()
    estimator: Estimator | None = None
    profile: DepthProfile | None = None
    on_event: OnEvent = ignore
    cancelled: Cancelled = never
    on_problem: OnProblem | None = None
    folder: Path | None = None
    batch_size: int | None = None
    hashed: bool | None = None
    resume: bool = True
    workers: WorkersOptions = field(default_factory=WorkersOptions)
    elsewhere: Callable[[StackWork, int, int], Elsewhere] | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    so_far: bool = False

    def __post_init__(self) -> None:
        if self.folder is not None:
            object.__setattr__(self, "folder", Path(self.folder).expanduser())

    def progress(self, what: str, name: str = "") -> Callable[[int, int], None]:
        """Return what is told steps done and in all, and stops the work where cancelled."""

        def tell(done: int, total: int) -> None:
            self.on_event(Working(what, name, done, total))
            if self.cancelled():
                raise CancelledError("cancelled", where=name or None)

        return tell
