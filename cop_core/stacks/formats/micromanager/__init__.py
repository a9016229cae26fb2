"""Micro-Manager's sets of files, MMStack and NDTiff: the folder or any of its files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cop_core.stacks.aborted import how_much
from cop_core.stacks.axes import require_position
from cop_core.stacks.dataset import BrokenPlaneError, Dataset
from cop_core.stacks.formats.library import FileImage, ceilings, describe_image, refuse_levels
from cop_core.stacks.formats.micromanager import mmstack, ndtiff
from cop_core.stacks.formats.micromanager.summary import (
    channel_names,
    position_name,
    read_power,
    read_scale,
)
from cop_core.stacks.units import number

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    import numpy.typing as npt

    from cop_core.stacks.dataset import Opening
    from cop_core.stacks.formats.micromanager.frames import AcquiredFrame, Acquisition

KIND = "Micro-Manager (MMStack, NDTiff)"

_AXES: Final = {"T": "time", "Z": "z", "C": "channel"}
_LACKING: Final = "not acquired, or its file is missing"


def recognises(path: Path) -> bool:
    """Return whether a path is a set, or a file of one."""
    return ndtiff.recognises(path) or mmstack.recognises(path)


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files of the set to which a path belongs; empty if there is none."""
    for kind in (ndtiff, mmstack):
        if kind.recognises(path):
            return tuple(kind.files_of(path))
    return ()


def describe(path: Path, opening: Opening) -> Dataset:
    """Describe the stack of one position of a set.

    Raises
    ------
    InputError
        If files of the set are damaged, or as for `require_position` and `describe_image`.
    """
    is_ndtiff = ndtiff.recognises(path)
    found = ndtiff.read_acquisition(path) if is_ndtiff else mmstack.read_acquisition(path)
    refuse_levels(opening.level, str(path))
    positions = _by_position(found.frames)
    names = [position_name(frames[0]) for frames in positions]
    chosen = require_position(opening.position, len(positions), str(path), names)
    name = names[chosen] if len(names) > 1 else ""
    image = replace(_image(found, positions[chosen]), name=name, positions=len(names))
    kind = "ndtiff" if is_ndtiff else "mmstack"
    return describe_image(path, kind, image, opening, found.name)


def _by_position(frames: Sequence[AcquiredFrame]) -> list[list[AcquiredFrame]]:
    """Separate the frames of different stage positions, tiles and other axes than T, Z and C."""
    found: dict[Hashable, list[AcquiredFrame]] = {}
    for frame in frames:
        place = tuple(sorted((k, v) for k, v in frame.axes.items() if k not in _AXES.values()))
        found.setdefault(place, []).append(frame)
    return list(found.values())


def _image(found: Acquisition, frames: Sequence[AcquiredFrame]) -> FileImage:
    values = {axis: _values(frames, key) for axis, key in _AXES.items()}
    stack = _Frames(frames, values)
    stored = frames[0].pixel_format()
    samples = {"S": stored.shape[2]} if len(stored.shape) > 2 else {}
    column = [stack.get({"Z": i}) for i in range(len(values["Z"]))]
    notes = [frame.metadata() if frame else {} for frame in column]
    height, width = stored.shape[:2]
    n_planes, planned = len(values["Z"]), _planned(found.summary, len(values["Z"]))
    bits = int(number(notes[0].get("BitDepth")) or stored.bits)
    return FileImage(
        sizes={**{axis: len(v) for axis, v in values.items()}, "Y": height, "X": width, **samples},
        dtype=stored.dtype,
        read=stack,
        scale=read_scale(found.summary, notes),
        channels=channel_names(found.summary, values["C"]),
        power=read_power(found.summary, notes),
        detectors=ceilings([bits] * len(values["C"]), "bit depth"),
        remarks=how_much(n_planes, planned, "planes"),
        planned=planned if planned > 1 else None,
    )


def _values(frames: Sequence[AcquiredFrame], key: str) -> list[int | str]:
    """Return the values of an axis: numbers in their order, names in the order of acquisition."""
    found = list(dict.fromkeys(frame.axes.get(key, 0) for frame in frames))
    numbers = [value for value in found if isinstance(value, int)]
    return sorted(numbers) if len(numbers) == len(found) else found


class _Frames:
    """Reads frames by their index."""

    def __init__(
        self, frames: Sequence[AcquiredFrame], values: Mapping[str, Sequence[int | str]]
    ) -> None:
        self._values = values
        keys = {axis: {v: i for i, v in enumerate(found)} for axis, found in values.items()}
        self._frames = {
            tuple(keys[axis][frame.axes.get(key, 0)] for axis, key in _AXES.items()): frame
            for frame in frames
        }

    def get(self, index: Mapping[str, int]) -> AcquiredFrame | None:
        """Return one frame; None if it was not acquired."""
        return self._frames.get(tuple(index.get(axis, 0) for axis in _AXES))

    def __call__(self, index: Mapping[str, int]) -> npt.NDArray[Any]:
        frame = self.get(index)
        if frame is None:
            raise BrokenPlaneError(_LACKING)
        return frame.pixels()


def _planned(summary: Mapping[str, Any], n_planes: int) -> int:
    stated = summary.get("Slices")
    return max(stated, n_planes) if isinstance(stated, int) else n_planes
