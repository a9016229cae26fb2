"""From a stack to its depth profile: normalise, crop, read in batches, average by plane."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cop_core._version import __version__
from cop_core.depth.profile import DepthProfile, PlaneEstimate
from cop_core.errors import CancelledError
from cop_core.estimation.crops import Crops, cut
from cop_core.estimation.estimator import DEFAULT_BATCH, Estimator, load_estimator
from cop_core.estimation.normalise import (
    Normalisation,
    check_normalisation,
    normalise,
    plane_range,
)
from cop_core.estimation.survey import NO_SIGNAL, Survey, survey
from cop_core.stacks import Plane, Stack, open_stack

DEFAULT_NORMALISATION: Normalisation = "plane-percentile"
NO_RANGE = "no range to normalise"

Progress = Callable[[int, int], None]
"""Called with steps done and steps in all; a plane is surveyed in one and read in another."""


@dataclass(frozen=True)
class Settings:
    """What the user chooses in an estimation.

    Attributes
    ----------
    normalisation : str
        How counts become [0, 1].
    crops : int or None
        Random crops a plane, or None for the full grid.
    seed : int
        Of random crops.
    offset_counts : float or None
        The detector's zero level, where known.
    """

    normalisation: Normalisation = DEFAULT_NORMALISATION
    crops: Crops = None
    seed: int = 0
    offset_counts: float | None = None

    def __post_init__(self) -> None:
        check_normalisation(self.normalisation)


def profile(
    source: Any,
    *,
    estimator: Estimator | str | Path = "default",
    settings: Settings | None = None,
    name: str | None = None,
    batch_size: int = DEFAULT_BATCH,
    device: str = "auto",
    progress: Progress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    **opening: Any,
) -> DepthProfile:
    """Read the noise of a stack as a function of depth.

    Parameters
    ----------
    source : Stack, path or array
        What is not a stack yet goes through `open_stack` with the further arguments
        (``z_step_um``, ``power``, ``channel`` ...).
    estimator : Estimator, str or Path
        A loaded estimator, or what `load_estimator` takes.
    settings : Settings, optional
        Normalisation and crops.
    name : str, optional
        Name of the profile; the stack's where not given.
    batch_size : int
        Crops at a time.
    device : str
        For an estimator given by name.
    progress : callable
        Told of steps done and in all.
    cancelled : callable
        Asked after every batch and every plane of the survey.

    Returns
    -------
    DepthProfile
        One entry a plane; excluded ones carry their reason.

    Raises
    ------
    InputError
        If the stack cannot be opened or the settings do not fit.
    CancelledError
        Where `cancelled` says so.
    """
    stack = source if isinstance(source, Stack) else open_stack(source, **opening)
    chosen = settings or Settings()
    if not isinstance(estimator, Estimator):
        estimator = load_estimator(estimator, device=device)
    steps = _Steps(2 * len(stack), progress, cancelled)
    found = survey(stack, steps.one)
    planes = tuple(estimate_planes(stack, estimator, chosen, found, batch_size, steps.one))
    return DepthProfile(
        name=name or stack.name,
        components=estimator.components,
        planes=planes,
        settings={**asdict(chosen), "estimator": estimator.card.name},
        provenance=_provenance(stack, estimator, found),
    )


def estimate_planes(
    stack: Stack,
    estimator: Estimator,
    settings: Settings,
    found: Survey,
    batch_size: int = DEFAULT_BATCH,
    seen: Callable[[], None] = lambda: None,
) -> Iterator[PlaneEstimate]:
    """Yield the estimate of every plane in order; a batch may span several planes.

    Parameters
    ----------
    stack, estimator, settings : Stack, Estimator, Settings
        What is read, by what, and how.
    found : Survey
        The stack's range and its planes without signal.
    batch_size : int
        Crops at a time.
    seen : callable
        Called for every plane that is done.
    """
    waiting: list[tuple[PlaneEstimate, npt.NDArray[np.float32]]] = []
    held = 0
    for plane in stack:
        entry = prepare(plane, settings, found, len(estimator.components))
        waiting.append(entry)
        held += len(entry[1])
        if held >= batch_size:
            for estimate in _finish(waiting, estimator, batch_size):
                seen()
                yield estimate
            waiting, held = [], 0
    for estimate in _finish(waiting, estimator, batch_size):
        seen()
        yield estimate


def prepare(
    plane: Plane, settings: Settings, found: Survey, components: int
) -> tuple[PlaneEstimate, npt.NDArray[np.float32]]:
    """Return a plane's estimate without strengths yet, and its normalised crops (n, 192, 192).

    A plane that is excluded has none.
    """
    nothing = np.full(components, np.nan)
    data = plane.data
    finite = data[np.isfinite(data)] if data.dtype.kind == "f" else data
    estimate = PlaneEstimate(
        index=plane.index,
        depth_um=plane.depth_um,
        power_mw=plane.power_mw,
        mean=nothing,
        sd=nothing,
        n_crops=0,
        signal=float(finite.mean(dtype=np.float64)) if finite.size else float("nan"),
        reason=plane.validity.reason or (NO_SIGNAL if plane.index in found.empty else ""),
        flags=plane.validity.flags,
        saturated_fraction=plane.validity.saturated_fraction,
    )
    none = np.empty((0, 1, 1), np.float32)
    if estimate.reason:
        return estimate, none
    low, high = plane_range(
        data, settings.normalisation, found.range_counts, settings.offset_counts
    )
    if not high > low:
        return replace(estimate, reason=NO_RANGE), none
    crops = cut(normalise(data, low, high), settings.crops, (settings.seed, plane.index))
    return replace(estimate, n_crops=len(crops)), crops


def _finish(
    waiting: list[tuple[PlaneEstimate, npt.NDArray[np.float32]]],
    estimator: Estimator,
    batch_size: int,
) -> Iterator[PlaneEstimate]:
    full = [crops for _, crops in waiting if len(crops)]
    strengths = estimator.predict(np.concatenate(full), batch_size=batch_size) if full else None
    start = 0
    for estimate, crops in waiting:
        if strengths is None or not len(crops):
            yield estimate
            continue
        own = strengths[start : start + len(crops)]
        start += len(crops)
        spread = own.std(axis=0, ddof=1) if len(own) > 1 else np.zeros(own.shape[1])
        yield replace(estimate, mean=own.mean(axis=0), sd=spread)


@dataclass
class _Steps:
    """Counts steps, tells of them and stops where the user cancelled."""

    total: int
    progress: Progress
    cancelled: Callable[[], bool]
    done: int = 0

    def one(self) -> None:
        self.done += 1
        self.progress(self.done, self.total)
        if self.cancelled():
            raise CancelledError("cancelled", where=f"step {self.done} of {self.total}")


def _provenance(stack: Stack, estimator: Estimator, found: Survey) -> dict[str, Any]:
    low, high = found.range_counts
    return {
        "source": stack.source,
        "shape": list(stack.shape),
        "dtype": str(stack.dtype),
        "pixel_size_um": None if stack.pixel_size_um is None else list(stack.pixel_size_um),
        "stack_range_counts": None if np.isnan(low) else [low, high],
        "weights": {
            "name": estimator.card.name,
            "sha256": estimator.card.sha256,
            "genome": estimator.card.genome,
        },
        "device": str(estimator.device),
        "precision": str(estimator.precision).removeprefix("torch."),
        "versions": {
            "napari-cop": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
