"""The settings in ScanImage files of all versions."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks.limits import MAX_XML_BYTES
from cop_core.stacks.units import number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# prefixes: SI. since 2016, scanimage.SI. since 5.1, scanimage.SI4. and .SI5. in 4 and 5.0, state.
# in 3.8; the names after them differ too, so each setting is looked up by all of its names
_SETTING: Final = re.compile(r"^(?:scanimage\.SI|SI|state)[45]?(?:App)?\.([\w.]+)[ \t]*=[ \t]*(.*)")
_BLOCK: Final = struct.Struct("<IIII")
_BLOCK_AT: Final = 16
_MAGIC: Final = 0x07030301
_EMPTY: Final = ("", "[]", "{}", "''", "{[]}")


@dataclass(frozen=True)
class Header:
    """Settings of one acquisition, as text.

    Attributes
    ----------
    settings : dict of str to str
        Value of each setting by its name without prefix, for example ``"hStackManager.zs"``.
    rois : dict
        Planned regions, as parsed from JSON; empty if not stated.
    frame : dict of str to str
        Settings of the first page.
    """

    settings: Mapping[str, str]
    rois: Mapping[str, Any]
    frame: Mapping[str, str]

    def text(self, *names: str) -> str:
        """Return the value of the first of these settings that is not empty."""
        found = (self.settings.get(name, "") for name in names)
        return next((value for value in found if value not in _EMPTY), "")

    def words(self, *names: str) -> list[str]:
        """Return the parts of a list without brackets and quotes."""
        return [word for word in re.split(r"[\s,;\[\]{}']+", self.text(*names)) if word]

    def names(self, *names: str) -> list[str]:
        """Return the quoted parts of a list."""
        return re.findall(r"'([^']*)'", self.text(*names))

    def numbers(self, *names: str) -> list[float | None]:
        """Return the entries of a list or a single number, with None for those not finite."""
        if "(" in self.text(*names):
            return []  # zeros(0,1) is empty
        return [number(word) for word in self.words(*names)]

    def number(self, *names: str) -> float | None:
        """Return the one finite number of a setting; None if there are none or several."""
        found = self.numbers(*names)
        return found[0] if len(found) == 1 else None

    def count(self, *names: str) -> int | None:
        """Return a whole number of 1 or more; None if there is none, or it is infinite."""
        found = self.number(*names)
        return int(found) if found and found >= 1 and found == int(found) else None

    def flags(self, *names: str) -> list[bool]:
        """Return a list of booleans."""
        return [word.lower() in ("true", "1") for word in self.words(*names)]

    def flag(self, *names: str) -> bool:
        """Return whether a setting is on; for a list, whether it is on for any device."""
        return any(self.flags(*names))

    def states(self, *names: str) -> bool:
        """Return whether one of these settings exists and is not empty."""
        return bool(self.text(*names))


def read_header(tif: Any, path: Path) -> Header | None:
    """Read the header of an open TIFF (a tifffile.TiffFile); None if it is not from ScanImage.

    Raises
    ------
    InputError
        If it exceeds MAX_XML_BYTES, or the regions of interest are not JSON.
    """
    page = tif.pages.first
    text, rois = _block(path) if tif.is_bigtiff else ("", "")
    text = text or page.software
    settings = _settings(text, path)
    if not settings:
        settings = _settings(page.description, path)
    if not settings:
        return None
    frame = dict(re.findall(r"(?m)^(\w+) *= *(.*)$", page.description[:4096]))
    return Header(settings, _rois(rois or page.tags.valueof(315, ""), path), frame)


def _block(path: Path) -> tuple[str, str]:
    """Return settings and regions, which are before the first page since 2016."""
    with path.open("rb") as file:
        file.seek(_BLOCK_AT)
        head = file.read(_BLOCK.size)
        if len(head) < _BLOCK.size:
            return "", ""
        magic, _, *sizes = _BLOCK.unpack(head)
        if magic != _MAGIC:
            return "", ""
        _require_size(sum(sizes), path)
        text, rois = (file.read(size).rstrip(b"\0").decode(errors="replace") for size in sizes)
        return text, rois


def _settings(text: str, path: Path) -> dict[str, str]:
    _require_size(len(text), path)
    found = (_SETTING.match(line) for line in re.split(r"[\r\n]+", text))
    return {match[1]: match[2].strip() for match in found if match}


def _rois(text: object, path: Path) -> Mapping[str, Any]:
    if not isinstance(text, str) or not text.startswith("{"):
        return {}
    _require_size(len(text), path)
    try:
        found = json.loads(text).get("RoiGroups")
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"its regions of interest cannot be read ({error})",
            where=str(path),
            advice="the file is damaged: copy it again",
        ) from None
    return found if isinstance(found, dict) else {}


def _require_size(n_bytes: int, path: Path) -> None:
    if n_bytes > MAX_XML_BYTES:
        raise InputError(
            f"its header takes {n_bytes >> 20:,} MB,"
            f" more than the {MAX_XML_BYTES >> 20:,} MB allowed",
            where=str(path),
            advice="export the stack as a file of its own",
        )
