"""A stack read step by step, so that whoever drives it can show, stop and keep."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from cop_core._version import __version__
from cop_core.errors import InputError
from cop_core.reading.estimator import DEFAULT_BATCH, Estimator
from cop_core.reading.planes import Prepared, finish, not_read, prepare
from cop_core.reading.settings import Settings
from cop_core.reading.survey import NOTHING_SEEN, Survey, Surveyor
from cop_core.stacks import Stack
from cop_core.stacks.files import file_state
from cop_core.statistics.profile import DepthProfile, PlaneEstimate

_STORED = ("format", "axes", "shape", "channel", "channel_name", "time", "depth_from")


@dataclass(frozen=True)
class Step:
    """One step of a reading: a plane is surveyed in one and read in another.

    Attributes
    ----------
    done, total : int
        Steps done, this one included, and steps in all.
    estimate : PlaneEstimate or None
        The plane that this step read; None in the survey, and between the batches of crops of
        planes that take several.
    """

    done: int
    total: int
    estimate: PlaneEstimate | None = None


class Reading:
    """One stack being read, step by step; keeps what it has.

    Iterating does the work and yields a `Step` for each plane surveyed, then for each plane
    read, in order. It may stop after any step; iterating again goes on from there. A batch of
    crops may span several planes: they are computed in the step of the first.

    Parameters
    ----------
    stack : Stack
        What is read.
    estimator : Estimator
        Reads it.
    settings : Settings, optional
        Normalisation and crops.
    name : str, optional
        Name of the profile; the stack's where not given.
    batch_size : int
        Crops at a time.

    Raises
    ------
    InputError
        While iterating, if the settings do not fit.
    """

    def __init__(
        self,
        stack: Stack,
        estimator: Estimator,
        settings: Settings | None = None,
        *,
        name: str | None = None,
        batch_size: int = DEFAULT_BATCH,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"{batch_size} crops a batch", advice="Give 1 or more")
        self._stack, self._estimator = stack, estimator
        self._settings = settings or Settings()
        self._name = name or stack.name
        self._batch_size = batch_size
        self._found = NOTHING_SEEN
        self._files: dict[str, Any] | None = None
        self._read: list[PlaneEstimate] = []
        self._steps = self._run()

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    @property
    def profile(self) -> DepthProfile:
        """What has been read so far; planes still to come are excluded as `NOT_READ`.

        It may be asked for at any time, also from another thread and before the first step.
        """
        read = tuple(self._read)
        rest = range(len(read), len(self._stack))
        missing = (not_read(self._stack, i, len(self._estimator.components)) for i in rest)
        return profile_of(
            *((*read, *missing), self._stack, self._estimator, self._settings),
            *(self._name, self._found, self._files),
        )

    def _run(self) -> Iterator[Step]:
        total = 2 * len(self._stack)
        done = 0
        self._files = file_state(self._stack.source)
        for _ in self._survey():
            done += 1
            yield Step(done, total)
        for estimate in self._estimates():
            if estimate is not None:
                self._read.append(estimate)
                done += 1
            yield Step(done, total, estimate)

    def _survey(self) -> Iterator[None]:
        surveyor = Surveyor()
        for plane in self._stack:
            surveyor.add(plane)
            yield None
        self._found = surveyor.found()

    def _estimates(self) -> Iterator[PlaneEstimate | None]:
        batch: list[Prepared] = []
        held = 0
        for plane in self._stack:
            entry = prepare(plane, self._settings, self._found, len(self._estimator.components))
            batch.append(entry)
            held += len(entry[1])
            if held >= self._batch_size:
                yield from finish(batch, self._estimator, self._batch_size)
                batch, held = [], 0
        yield from finish(batch, self._estimator, self._batch_size)


def profile_of(
    planes: tuple[PlaneEstimate, ...],
    stack: Stack,
    estimator: Estimator,
    settings: Settings,
    name: str,
    found: Survey,
    files: dict[str, Any] | None = None,
) -> DepthProfile:
    """Return estimates of a stack's planes as a profile that says where they come from."""
    return DepthProfile(
        name=name,
        components=estimator.components,
        planes=planes,
        settings={**asdict(settings), "estimator": estimator.card.name},
        provenance={**_provenance(stack, estimator, found), "files": files},
    )


def _provenance(stack: Stack, estimator: Estimator, found: Survey) -> dict[str, Any]:
    low, high = found.range_counts
    return {
        "source": stack.source,
        "opened_with": stack.metadata.get("opened_with"),
        "stored_as": {key: stack.metadata.get(key) for key in _STORED},
        "shape": list(stack.shape),
        "dtype": str(stack.dtype),
        "pixel_size_um": None if stack.pixel_size_um is None else list(stack.pixel_size_um),
        "stack_range_counts": None if np.isnan(low) else [low, high],
        "weights": {
            "name": estimator.card.name,
            "sha256": estimator.card.sha256,
            "genome": asdict(estimator.card.genome),
        },
        "loaded_with": dict(estimator.loaded_with),
        "device": str(estimator.device),
        "precision": str(estimator.precision).removeprefix("torch."),
        "versions": {
            "napari-cop": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
