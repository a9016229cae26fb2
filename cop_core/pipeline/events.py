"""Events of a running recipe, and the means with which it runs."""

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
    """The current activity.

    Attributes
    ----------
    what : str
        The activity in words, ``"loading the network"``.
    name : str
        Name of the stack or file concerned.
    done, total : int
        Progress; 0 of 0 if not known.
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
        Names of the stacks, and of the strengths that will be read.
    depth_um : tuple of ndarray
        Depths of each stack's planes; empty if they are still to come.
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
        Index of the stack.
    planned : int or None
        Total number of planes, if known.
    """

    stack: int
    name: str
    step: ReadingStep
    planned: int | None = None


@dataclass(frozen=True)
class SoFar:
    """The interim verdict on the planes of a stack that have been read.

    Attributes
    ----------
    stack : int
        Index of the stack.
    n_planes : int
        Planes on which it is based; more may have been read since.
    verdict : str
        A sentence or two.
    """

    stack: int
    name: str
    n_planes: int
    verdict: str

    @property
    def said(self) -> str:
        """The verdict, with the number of planes."""
        return f"After {self.n_planes} planes: {self.verdict}"


Event: TypeAlias = Working | Opened | Stepped | SoFar
OnEvent: TypeAlias = Callable[[object], None]
"""Called with an `Event`, or with the result of a stack of a study."""
OnProblem: TypeAlias = Callable[[Exception], None]
"""Called with the error that ended a reading early."""
Cancelled: TypeAlias = Callable[[], bool]
"""Called after every step; True cancels."""


def ignore(_event: object) -> None:
    """Ignore an event."""


def never() -> bool:
    """Never cancel."""
    return False


@dataclass(frozen=True)
class Means:
    """Means with which a recipe is run, in addition to its own fields.

    Attributes
    ----------
    sources : sequence of Stack, Source or None
        Used in place of the files named in the recipe, one for each stack.
    estimator : Estimator or None
        Used in place of the weights named in the recipe.
    profile : DepthProfile or None
        An earlier reading of the stack for which power is recommended.
    on_event, cancelled : callable
        Called with every event, and after every step.
    on_problem : callable or None
        Called with the error that ended a reading early; if None, the error is raised.
    folder : Path or None
        Folder for files written during the run: a study, a simulated pair, weights.
    batch_size : int or None
        Maximum number of crops in one step.
    hashed : bool or None
        Whether reports written during the run contain the SHA-256 of stacks; None: only of stacks
        up to 20 GB.
    resume : bool
        Whether to skip the stacks of a study that an earlier run finished.
    workers : WorkersOptions
        Workers for finished stacks that have a path or an address.
    elsewhere : callable or None
        Hands stacks to the workers, as in `StackReader`; set by `run`.
    failed : mapping of str to str
        Stacks of a study that are not tried, by place, with the reason.
    so_far : bool
        Whether to emit `SoFar` now and then while a stack is read.
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
        """Return a callback for steps done and the total, which stops the work if cancelled."""

        def tell(done: int, total: int) -> None:
            self.on_event(Working(what, name, done, total))
            if self.cancelled():
                raise CancelledError("cancelled", where=name or None)

        return tell
