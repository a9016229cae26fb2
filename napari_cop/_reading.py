"""The work of a run, without Qt: open, read plane by plane, compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cop_core.errors import CopError
from cop_core.statistics import DepthProfile
from napari_cop._preload import preload_torch

if TYPE_CHECKING:
    from collections.abc import Generator
    from threading import Event

    import numpy as np
    import numpy.typing as npt

    from cop_core.report import Result
    from cop_core.statistics import PlaneEstimate
    from napari_cop._sources import Source


@dataclass(frozen=True)
class Request:
    """What to do.

    Attributes
    ----------
    arms : tuple of (str or None, Source)
        One stack, or the fixed and the gained one, with their names; None takes the stack's.
    settings : dict
        Arguments of `cop_core.Settings`.
    weights, device : str
        For `cop_core.load_estimator`.
    rule : {"default", "paper"}
        Statistics of a comparison.
    """

    arms: tuple[tuple[str | None, Source], ...]
    settings: dict[str, Any]
    weights: str = "default"
    device: str = "auto"
    rule: Any = "default"


@dataclass(frozen=True)
class Opened:
    """The stacks are open: their names, the noises to be read and the depths in um."""

    names: tuple[str, ...]
    components: tuple[str, ...]
    depth_um: tuple[npt.NDArray[np.float64], ...]


@dataclass(frozen=True)
class Moved:
    """A step of work on one stack, with the plane that it read, if any.

    Attributes
    ----------
    protocol : int
        Which of the stacks.
    done, total : int
        Steps of this stack; a plane is surveyed in one and read in another.
    estimate : PlaneEstimate or None
        None while surveying.
    """

    protocol: int
    done: int
    total: int
    estimate: PlaneEstimate | None


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes
    ----------
    result : DepthProfile or Comparison
        What was found; planes that were not read are excluded with that reason.
    stopped : bool
        True where it ended before all was read.
    problem : Exception or None
        What ended it, where it was not the user.
    """

    result: Result
    stopped: bool
    problem: Exception | None = None

    @property
    def empty(self) -> bool:
        """Whether no plane was read."""
        profiles = (self.result,) if isinstance(self.result, DepthProfile) else self.result.profiles
        return not any(plane.n_crops for profile in profiles for plane in profile.planes)


def read(request: Request, stop: Event) -> Generator[str | Opened | Moved, None, Outcome]:
    """Do the work, telling of every step; stops soon after `stop` is set.

    Yields
    ------
    str, Opened or Moved
        What is being done, then the opened stacks, then every step.

    Raises
    ------
    CopError
        Where a stack cannot be opened or read.
    """
    yield "Loading the network …"
    # PyTorch takes a second or two to import, which is why it is not imported with the widget.
    preload_torch()
    from cop_core.reading import Reading, Settings, load_estimator
    from cop_core.statistics import compare

    settings = Settings(**request.settings)
    yield "Opening …"
    stacks = [source.open() for _, source in request.arms]
    estimator = load_estimator(request.weights, device=request.device)
    readings = [
        Reading(stack, estimator, settings, name=name)
        for stack, (name, _) in zip(stacks, request.arms, strict=True)
    ]
    started = [reading.profile for reading in readings]
    yield Opened(
        tuple(profile.name for profile in started),
        estimator.components,
        tuple(profile.depth_um for profile in started),
    )
    problem: Exception | None = None
    try:
        for protocol, reading in enumerate(readings):
            for step in reading:
                yield Moved(protocol, step.done, step.total, step.estimate)
                if stop.is_set():
                    break
    except Exception as error:  # told at the end, with what was read before it
        problem = readable(error)
    stopped = stop.is_set() or problem is not None
    profiles = [reading.profile for reading in readings]
    if len(profiles) == 1:
        _ = profiles[0].fits  # here rather than where they are first drawn
        return Outcome(profiles[0], stopped, problem)
    if not stopped:
        yield "Comparing …"
    both = compare(*profiles, rule=request.rule, seed=settings.seed)
    return Outcome(both, stopped, problem)


def readable(error: Exception) -> Exception:
    """Return PyTorch's errors, all of them RuntimeError, with advice; others as they are."""
    if not isinstance(error, RuntimeError):
        return error
    return CopError(
        f"reading failed ({error})", advice="If a graphics card is used, choose the device cpu"
    )
