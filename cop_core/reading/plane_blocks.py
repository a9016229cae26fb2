"""Blocks of planes: the work of one worker on a stack, with all the input it needs."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Protocol
from uuid import uuid4

import numpy as np
import torch

from cop_core._version import __version__
from cop_core.errors import InputError
from cop_core.machine import processor
from cop_core.reading.blocks import BLOCK, block_pool
from cop_core.reading.estimator import CropReading, Estimator, estimator_for
from cop_core.reading.planes import Prepared, prepare, with_strengths
from cop_core.reading.survey import Survey, Surveyor, look
from cop_core.recipes import ReadingOptions, StackOptions
from cop_core.stacks import Stack, open_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cop_core.records import PlaneEstimate, StoredImage

BATCH: Final = max(64, BLOCK * torch.get_num_threads())
"""Crops per step: a quarter of a second on two CPU cores, and enough to occupy many."""


@dataclass(frozen=True)
class StackWork:
    """Everything needed to read planes of a stack exactly as another process does.

    Attributes
    ----------
    options : StackOptions
        Options that open it, with absolute paths and without powers: depth and power are added
        later.
    image : StoredImage
        The stack that a worker must find.
    reading : ReadingOptions
        Includes the zero level; device and precision are resolved.
    weights_sha256, versions
        Hash of the weights and versions of the packages that compute the numbers.
    token : str
        Identifies the work: a stack opened for one is used for no other.
    """

    options: StackOptions = field(compare=False)
    image: StoredImage = field(compare=False)
    reading: ReadingOptions = field(compare=False)
    weights_sha256: str = field(compare=False)
    versions: dict[str, str] = field(compare=False)
    token: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True)
class PlanesRead:
    """Planes that one machine has read, and its model."""

    estimates: tuple[PlaneEstimate, ...]
    machine: str


class Elsewhere(Protocol):
    """Reads the planes of one stack on other machines.

    Iterating yields the number of planes surveyed, the survey, planes that were read, and None
    while waiting. The survey comes before the planes; otherwise the order is arbitrary.
    """

    def __iter__(self) -> Iterator[int | Survey | PlanesRead | None]: ...


def survey_block(work: StackWork, start: int, stop: int) -> Surveyor:
    """Survey planes of a stack before they are read.

    Raises
    ------
    InputError
        If this machine cannot access the stack, or has other weights or versions.
    """
    stack, surveyor = _stack(work), Surveyor()
    n = len(stack)
    for looked in block_pool().each(lambda i: look(stack.plane(i), n), range(start, stop)):
        surveyor.add(looked)
    return surveyor


def join_surveys(parts: Sequence[Surveyor]) -> Survey:
    """Return the survey of a whole stack from its parts, the same as from a single survey."""
    whole = Surveyor()
    for part in parts:
        whole.join(part)
    return whole.found()


def read_block(work: StackWork, found: Survey, start: int, stop: int) -> PlanesRead:
    """Read planes of a stack.

    Raises
    ------
    InputError
        As for `survey_block`.
    """
    stack, estimator = _stack(work), _estimator(work)

    def bare_and_crops(index: int) -> Prepared:
        basis = found.basis(index, work.reading.normalisation)
        return prepare(stack.plane(index), work.reading, basis, len(estimator.components))

    read = _with_strengths(block_pool().each(bare_and_crops, range(start, stop)), estimator)
    cuda = estimator.device.type == "cuda"
    machine = torch.cuda.get_device_name(estimator.device) if cuda else processor()
    return PlanesRead(tuple(read), machine)


def _with_strengths(prepared: Sequence[Prepared], estimator: Estimator) -> list[PlaneEstimate]:
    """Return estimates of planes, whose crops are read together."""
    crops = chain.from_iterable(crops for _, crops in prepared)
    read = []
    while some := list(islice(crops, BATCH)):
        read.append(estimator.read(np.stack(some), batch_size=BATCH))
    if not read:
        return [bare for bare, _ in prepared]
    every, start, estimates = CropReading.joined(read), 0, []
    for bare, own in prepared:
        stop = start + len(own)
        part = every.part(start, stop)
        estimates.append(with_strengths(bare, part) if len(own) else bare)
        start = stop
    return estimates


def versions() -> dict[str, str]:
    """Return the versions of the packages that compute the readings."""
    return {
        "napari-cop": __version__,
        "torch": str(torch.__version__),  # its own type would import PyTorch where it is unpickled
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _stack(work: StackWork) -> Stack:
    _require_versions(work.versions)
    return _opened(work)


def _require_versions(wanted: dict[str, str]) -> None:
    other = {name: v for name, v in versions().items() if wanted.get(name) != v}
    if other:
        has = ", ".join(f"{name} {version}" for name, version in other.items())
        raise InputError(
            f"it has {has}, not {', '.join(f'{name} {wanted.get(name)}' for name in other)}",
            where=f"worker {platform.node()}",
            advice="install the same versions on all machines",
        )


@lru_cache(maxsize=4)
def _opened(work: StackWork) -> Stack:
    try:
        stack = open_stack(work.options.source, work.options)
    except InputError as error:
        raise InputError(
            error.what,
            where=f"{error.where} on worker {platform.node()}",
            advice="workers need read access to the stack at the same path",
        ) from None
    if _stored(stack.image) != _stored(work.image):
        raise InputError(
            "the stack there is not the same as here",
            where=f"{work.options.source} on worker {platform.node()}",
            advice="workers need the same file at the same path",
        )
    return stack


def _stored(image: StoredImage) -> tuple[object, ...]:
    return image.format, image.axes, image.shape, image.dtype, image.channel, image.time


def _estimator(work: StackWork) -> Estimator:
    estimator = estimator_for(work.reading)
    if estimator.used.sha256 != work.weights_sha256:
        raise InputError(
            f"the weights {work.reading.weights!r} there are not the same as here",
            where=f"worker {platform.node()}",
            advice="workers need the same weights at the same path",
        )
    return estimator
