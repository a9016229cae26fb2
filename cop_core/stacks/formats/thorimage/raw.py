"""ThorImage's raw file: consecutive frames of 16 bits, each with its channels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks.aborted import how_much
from cop_core.stacks.formats.tiff.planes import ContiguousPlanes, PlaneByPosition

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.stacks.dataset import Position
    from cop_core.stacks.formats.thorimage.experiment import Experiment

_ALL: Final = "ABCD"
"""Number of channels of a microscope that saves all of them, enabled or not."""
_DTYPE: Final = np.dtype("<u2")


@dataclass(frozen=True)
class RawPlanes:
    """Reads planes of a raw file.

    Attributes
    ----------
    stored : tuple of int
        Position of each channel in a frame of the file.
    """

    planes: PlaneByPosition
    stored: tuple[int, ...]

    def __call__(self, position: Position) -> npt.NDArray[Any]:
        """Read one plane, shape (height, width)."""
        at = {axis: position.get(axis, 0) for axis in "TZC"}
        return self.planes({**at, "C": self.stored[at["C"]]})


@dataclass(frozen=True)
class Raw:
    """A raw file, and remarks."""

    read: RawPlanes
    remarks: tuple[str, ...]


def read_raw(path: Path, experiment: Experiment) -> Raw:
    """Lay out a raw file according to Experiment.xml.

    Raises
    ------
    InputError
        If its size is not a whole number of frames, or larger than stated.
    """
    size = path.stat().st_size
    frame_bytes = math.prod(experiment.plane_shape) * _DTYPE.itemsize
    slots = experiment.n_planes + experiment.n_flyback
    n_frames, rest = divmod(size, frame_bytes)
    n_stored, places = _stored(experiment, n_frames, slots)
    n_stated = experiment.n_times * slots * n_stored
    spare = slots * n_stored if experiment.fast else 0  # of an incomplete volume
    if rest or n_frames >= n_stated + max(spare, 1):
        raise InputError(
            f"the raw file holds {size / frame_bytes:.6g} frames of {experiment.plane_shape[1]} x "
            f"{experiment.plane_shape[0]} pixels, Experiment.xml states {n_stated}",
            where=str(path),
            advice="copy both again from the folder of one acquisition",
        )
    shape = (experiment.n_times, slots, n_stored, *experiment.plane_shape)
    planes = ContiguousPlanes(path, 0, _DTYPE, experiment.plane_shape, size)
    remarks = []
    if experiment.n_flyback:
        remarks.append(f"{experiment.n_flyback} flyback frames after each volume are left out")
    remarks += how_much(n_frames, n_stated)
    return Raw(RawPlanes(PlaneByPosition(planes, "TZCYX", shape), places), tuple(remarks))


def _stored(experiment: Experiment, n_frames: int, slots: int) -> tuple[int, tuple[int, ...]]:
    """Return the number of channels in the file, and the positions of the enabled ones.

    Either the enabled channels or all of the microscope, whichever matches the size.
    """
    letters = [name[-1:].upper() for name in experiment.channels]
    everything = experiment.n_times * slots * len(_ALL)
    if n_frames == everything and set(letters) <= set(_ALL):
        return len(_ALL), tuple(_ALL.index(letter) for letter in letters)
    return len(letters), tuple(range(len(letters)))
