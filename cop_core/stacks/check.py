"""Check of a file without the network: what it is, its pixels, and missing options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError, MissingOptionError
from cop_core.recipes import StackOptions
from cop_core.records import MeasuredDetector, PixelFacts, copies, in_turn
from cop_core.records.crop_grid import SMALL
from cop_core.records.plane_order import FEWEST_PLANES
from cop_core.stacks.block_means import block_means
from cop_core.stacks.dataset import Dataset
from cop_core.stacks.detector_file import read_detector
from cop_core.stacks.fixed_pixels import fixed_pixels_of, picture_of
from cop_core.stacks.model import LazyStack, Plane
from cop_core.stacks.open import open_dataset, opening_of, readable_errors, stack_of
from cop_core.stacks.structure import Structure, least_structure, structure
from cop_core.stacks.told_by_pixels import pixel_facts

PLANES: Final = 12
"""Number of planes examined, spread over the stack, unless all are."""
ROW: Final = 2 * FEWEST_PLANES
"""Number of planes in a row compared with each other, in the middle of the stack."""

_STAND_INS: Final = {"z_step_um": 1e-3, "channel": 0, "time": 0, "position": 0}
"""Options for examining a file if they are missing; no depth is remarkable at this step."""
_CHOICES: Final = frozenset(_STAND_INS) - {"z_step_um"}


@dataclass(frozen=True)
class PixelCheck:
    """Findings in the pixels of some planes.

    Attributes
    ----------
    planes, usable : tuple of int
        Planes that were examined, and those of them that can be read.
    left_out : dict of str to int
        Number of planes that cannot be read, by reason.
    facts : tuple of PixelFacts
        Findings in each of the others.
    n_with_saturated, saturated_fraction : int, float
        Number of the others with pixels at the ceiling, and the largest fraction; hot pixels do not
        count.
    n_small : int
        Number of the others that are smaller than a crop.
    n_without_signal : int
        Number of the others without signal above the background, judged from the planes examined.
    in_turn, copies : str
        Whether channels seem to be stored in turn, and planes twice: sentences without a full stop,
        from `ROW` planes in a row unless all are examined.
    """

    planes: tuple[int, ...]
    usable: tuple[int, ...]
    left_out: dict[str, int]
    facts: tuple[PixelFacts, ...]
    n_with_saturated: int
    saturated_fraction: float
    n_small: int
    n_without_signal: int
    in_turn: str
    copies: str

    @property
    def n_usable(self) -> int:
        """Number of planes that can be read and have signal."""
        return len(self.facts) - self.n_without_signal


@dataclass(frozen=True)
class FileCheck:
    """Properties of a file, and what it lacks.

    Attributes
    ----------
    data : Dataset
        Everything that the file states.
    stack : LazyStack
        The stack chosen by the options; the first if an option is missing.
    missing : tuple of MissingOptionError
        Options without which it cannot be read.
    pixels : PixelCheck
        Findings in its planes.
    detector : MeasuredDetector or None
        Its measured detector, if given.
    """

    data: Dataset
    stack: LazyStack
    missing: tuple[MissingOptionError, ...]
    pixels: PixelCheck
    detector: MeasuredDetector | None

    @property
    def readable(self) -> bool:
        """Whether any of its planes can be read; another stack in the file may be better."""
        return self.pixels.n_usable > 0 or any(e.option in _CHOICES for e in self.missing)

    @property
    def lacks_depth(self) -> bool:
        """Whether the depths are not known."""
        return any(each.option == "z_step_um" for each in self.missing)


def check_file(
    options: StackOptions,
    *,
    every: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> FileCheck:
    """Check what a file is, its pixels, and which options it needs.

    Parameters
    ----------
    options : StackOptions
        The file, and known options.
    every : bool
        Whether to examine all planes rather than `PLANES`.
    progress : callable
        Called with the planes done and the total.

    Raises
    ------
    InputError
        If it, or the file of its detector, cannot be opened with any choice of the missing options.
    """
    detector = None if options.detector is None else read_detector(options.detector)
    missing: list[MissingOptionError] = []
    while True:
        try:
            data, stack = _opened(options)
        except MissingOptionError as error:
            if error.option not in _STAND_INS or error.option in {e.option for e in missing}:
                raise
            missing.append(error)
            options = options.but(**{error.option: _stand_in(error.option, options)})
        else:
            pixels = _pixels(stack, every, progress)
            return FileCheck(data, stack, tuple(missing), pixels, detector)


def spread_over(n: int) -> list[int]:
    """Return the indices of `PLANES` planes spread over n, or of all."""
    return [int(i) for i in np.unique(np.linspace(0, n - 1, PLANES).round())]


def _stand_in(option: str, options: StackOptions) -> float:
    """Return what is looked at in place of an option; the z step as stated, if it is in doubt."""
    if option == "z_step_um":
        stated = open_dataset(options.source, opening_of(options)).scale.z_step_um
        return stated or _STAND_INS[option]
    return _STAND_INS[option]


def _opened(options: StackOptions) -> tuple[Dataset, LazyStack]:
    if options.source is None:
        raise InputError("there is no file to check")
    with readable_errors(options.source):
        data = open_dataset(options.source, opening_of(options))
        return data, stack_of(data, options)


def _pixels(stack: LazyStack, every: bool, progress: Callable[[int, int], None]) -> PixelCheck:
    n = len(stack)
    chosen = range(n) if every else spread_over(n)
    first = 0 if every else max(0, n - ROW) // 2
    row = range(first, n if every else min(n, first + ROW))
    total = 2 * len(chosen) + len(row)

    def planes(indices: Sequence[int], done: int) -> Iterator[Plane]:
        for number, index in enumerate(indices, start=done + 1):
            yield stack.plane(index)
            progress(number, total)

    masked = fixed_pixels_of(planes(chosen, 0))
    found = [_seen(plane, masked) for plane in planes(chosen, len(chosen))]
    in_row = [_means(plane) for plane in planes(row, 2 * len(chosen))]
    means = [means for means, _ in in_row]
    good = [seen for seen in found if not seen.reason]
    least = least_structure(seen.structure for seen in good)
    return PixelCheck(
        planes=tuple(chosen),
        usable=tuple(i for i, seen in zip(chosen, found, strict=True) if not seen.reason),
        left_out=dict(Counter(seen.reason for seen in found if seen.reason).most_common()),
        facts=tuple(seen.facts for seen in good),
        n_with_saturated=sum(seen.saturated > 0 for seen in good),
        saturated_fraction=max((seen.saturated for seen in good), default=0.0),
        n_small=sum(seen.small for seen in good),
        n_without_signal=sum(not seen.structure.is_signal(least) for seen in good),
        in_turn=in_turn(means),
        copies=copies(means, [signal for _, signal in in_row]),
    )


def _means(plane: Plane) -> tuple[npt.NDArray[np.float64], float]:
    """Return the block means of a plane, and the mean of all its pixels."""
    return block_means(plane.data), float(plane.data.mean(dtype=np.float64))


class _Seen(NamedTuple):
    """Findings in one plane: why it cannot be read, its pixels and structure."""

    reason: str
    saturated: float
    small: bool
    facts: PixelFacts
    structure: Structure


def _seen(plane: Plane, masked: frozenset[int]) -> _Seen:
    validity = plane.validity
    image = picture_of(plane, masked if validity.ok else frozenset())
    return _Seen(
        reason=validity.reason,
        saturated=validity.saturated_in(image),
        small=SMALL in validity.flags,
        facts=pixel_facts(plane, image, len(masked)),
        structure=structure(image) if validity.ok else Structure(0.0, 0.0, False),
    )
