"""Scale, channels, positions and power in Micro-Manager's metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tifffile

from cop_core.stacks.dataset import Scale, StatedPower, stated_mw
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.safe_xml import require_xml_size
from cop_core.stacks.units import length_um, step_um

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cop_core.stacks.formats.micromanager.frames import AcquiredFrame

_Z: Final = ("ZPositionUm", "ZPosition_um_Intended")
_SUMMARY: Final = 2_355_492
"""Marker before the length of the summary, in the first 40 bytes of a file."""


def read_settings(path: Path, *names: str) -> dict[str, Any]:
    """Read the metadata at the start of a file of a set: ``Summary``, ``IndexMap``.

    Raises
    ------
    InputError
        If the summary would take too long to parse.
    """
    with path.open("rb") as file:
        head = file.read(40)
        words = [int.from_bytes(head[i : i + 4], "little") for i in range(8, len(head), 4)]
        if _SUMMARY in words[:-1]:
            require_xml_size(words[words.index(_SUMMARY) + 1], "summary", str(path))
        with quiet_tifffile():
            found: dict[str, Any] = tifffile.read_micromanager_metadata(file, set(names))
    return found


def read_scale(summary: Mapping[str, Any], notes: Sequence[Mapping[str, Any]]) -> Scale:
    """Read the scale from the metadata of the set, and of the frame of every plane."""
    found = [
        next((length_um(note[key], "um") for key in _Z if key in note), None) for note in notes
    ]
    positions = tuple(z for z in found if z is not None)
    stated = notes[0].get("PixelSizeUm", summary.get("PixelSize_um"))
    pixel_um = step_um(stated, "um")
    return Scale(
        z_step_um=step_um(summary.get("z-step_um"), "um"),
        z_positions_um=positions if len(positions) == len(notes) else None,
        pixel_size_um=(pixel_um, pixel_um) if pixel_um else None,
    )


def channel_names(summary: Mapping[str, Any], values: Sequence[int | str]) -> tuple[str, ...]:
    """Return the names of channels from the axes, else from the summary."""
    names = summary.get("ChNames")
    names = names if isinstance(names, list) else []
    return tuple(
        str(names[value]) if isinstance(value, int) and 0 <= value < len(names) else
        value if isinstance(value, str) else ""
        for value in values
    )  # fmt: skip


def position_name(frame: AcquiredFrame) -> str:
    """Return Micro-Manager's name of a frame's position, else one from its axes."""
    name = frame.metadata().get("PositionName")
    if isinstance(name, str) and name:
        return name
    place = {k: v for k, v in frame.axes.items() if k not in ("time", "z", "channel")}
    return " ".join(f"{axis} {value}" for axis, value in place.items())


def read_power(
    summary: Mapping[str, Any], notes: Sequence[Mapping[str, Any]]
) -> StatedPower | None:
    """Read power_mw, stored for every frame or for the set."""
    of_frames = [note.get("power_mw") for note in notes]
    return stated_mw(summary.get("power_mw") if None in of_frames else of_frames, "power_mw")
