"""The XML of a Prairie View set: the files of planes, and their settings.

Settings are in `PVStateShard` elements of the whole set, of a sequence and of a frame. A frame
inherits settings from its sequence, and then from the set. Up to 2014 they are called
``laserPower_0``, later ``laserPower`` with indexed values; here all have the older names.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError
from cop_core.stacks.safe_xml import read_xml, require_plain_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from xml.etree import ElementTree as ET

WHAT: Final = "XML of Prairie View"


@dataclass(frozen=True)
class Setting:
    """A value as written, and its name in the file."""

    value: str
    description: str = ""


Settings = ChainMap[str, Setting]


@dataclass(frozen=True)
class PrairieFrame:
    """One frame of all channels.

    Attributes
    ----------
    files : mapping of int to (str, int)
        Name of the file and page in it, from 0, by number of the channel.
    settings : mapping of str to Setting
        Its own and inherited settings.
    """

    files: Mapping[int, tuple[str, int]]
    settings: Settings


@dataclass(frozen=True)
class Sequence:
    """Frames acquired in a row; ``kind`` is for example ``"ZSeries"``."""

    kind: str
    frames: tuple[PrairieFrame, ...]

    @property
    def is_stack(self) -> bool:
        """Whether its frames are planes of a z-stack rather than of a movie."""
        return "ZSeries" in self.kind


@dataclass(frozen=True)
class PrairieHeader:
    """A set.

    Attributes
    ----------
    sequences : tuple of Sequence
        Sequences with frames.
    channels : mapping of int to str
        Name by number, ascending.
    lasers : mapping of str to str
        Name by index, if the header lists them separately.
    """

    sequences: tuple[Sequence, ...]
    channels: Mapping[int, str]
    lasers: Mapping[str, str]

    @property
    def frames(self) -> tuple[PrairieFrame, ...]:
        """All frames, in the order of their acquisition."""
        return tuple(frame for sequence in self.sequences for frame in sequence.frames)

    @property
    def file_names(self) -> frozenset[str]:
        """All files of the set."""
        return frozenset(name for frame in self.frames for name, _ in frame.files.values())


def read_header(path: Path) -> PrairieHeader:
    """Read the XML of a set.

    Raises
    ------
    InputError
        If it cannot be parsed, names files outside its folder, or lists no frames.
    """
    root = read_xml(path, WHAT)
    whole = Settings(_settings(root))
    where, names = str(path), dict[int, str]()
    sequences = []
    for element in root.iter("Sequence"):
        inherited = whole.new_child(_settings(element))
        frames = [_frame(found, inherited, names, where) for found in element.findall("Frame")]
        if frames:
            sequences.append(Sequence(element.get("type", ""), tuple(frames)))
    if not sequences:
        raise InputError(
            f"the {WHAT} lists no frames",
            where=where,
            advice="wait until the acquisition has begun, or convert its raw data in Prairie View",
        )
    lasers = {laser.get("index", ""): laser.get("name", "") for laser in root.iter("Laser")}
    return PrairieHeader(tuple(sequences), dict(sorted(names.items())), lasers)


def _frame(
    element: ET.Element, inherited: Settings, names: dict[int, str], where: str
) -> PrairieFrame:
    files = {}
    for file in element.findall("File"):
        number, page = (_whole(file, key, where) for key in ("channel", "page"))
        names.setdefault(number, file.get("channelName") or f"Ch{number}")
        name = require_plain_name(file.get("filename", ""), WHAT, where)
        files[number] = name, max(page - 1, 0)  # pages are numbered from 1
    return PrairieFrame(files, inherited.new_child(_settings(element)))


def _whole(element: ET.Element, key: str, where: str) -> int:
    text = element.get(key, "1")
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise InputError(f"the {WHAT} has a {key} {text!r}", where=where)
    return int(text)


def _settings(element: ET.Element) -> dict[str, Setting]:
    """Return the settings of an element itself, by names with indices after underscores."""
    return dict(_stated(element.findall("PVStateShard/*")))


def _stated(values: list[ET.Element], outer: str = "") -> Iterator[tuple[str, Setting]]:
    for value in values:
        own = value.get("key") or value.get("index") or value.get("subindex") or ""
        name = f"{outer}_{own}" if outer else own
        if (text := value.get("value")) is not None:
            yield name, Setting(text, value.get("description", ""))
        yield from _stated(list(value), name)
