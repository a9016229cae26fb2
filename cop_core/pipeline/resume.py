"""Finished stacks of a study on disk: kept to the last bit, and recognised by a later run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from cop_core.errors import InputError
from cop_core.recipes import ReadingOptions, StackOptions
from cop_core.recipes.base import checked
from cop_core.records import DepthProfile, FileIdentity, Provenance, Role
from cop_core.report.document import MAX_REPORT_BYTES
from cop_core.report.hashing import sha256_of
from cop_core.stacks.files import file_state
from cop_core.text_file import read_text_file, require_regular
from cop_core.writing import replace_files

PROFILE_FILE: Final = "profile.json"
"""File beside a stack's report: its profile to the last bit, and the SHA-256 of ``report.json``."""


@dataclass(frozen=True)
class Kept:
    """A finished stack as kept on disk.

    Attributes
    ----------
    profile : DepthProfile
        Equal to the reading to the last bit.
    inputs : dict of Role to FileIdentity
        Its files by role, as stated in its report.
    """

    profile: DepthProfile
    inputs: dict[Role, FileIdentity]


def keep_reading(reading: Kept, file: Path) -> None:
    """Write the reading of an image, which has no report of its own."""
    plain = TypeAdapter(Kept).dump_python(reading, mode="json")
    replace_files({file: json.dumps(plain).encode()})


def read_reading(file: Path) -> Kept | None:
    """Return the reading that `keep_reading` wrote; None if there is none that can be used."""
    try:
        text = read_text_file(file, "reading", most_bytes=MAX_REPORT_BYTES)
        kept: Kept = checked(Kept, json.loads(text))
    except (OSError, ValueError, InputError, RecursionError):
        return None
    return kept


def keep(profile: DepthProfile, folder: Path) -> Kept:
    """Mark a stack as finished, once its report is written; return the result of `read_kept`."""
    report = (folder / "report.json").read_bytes()
    plain = TypeAdapter(DepthProfile).dump_python(profile, mode="json")
    # floats are written with enough digits to be read back exactly
    text = json.dumps({"report_sha256": hashlib.sha256(report).hexdigest(), "profile": plain})
    replace_files({folder / PROFILE_FILE: text.encode()})
    return _kept(report, text)


def read_kept(folder: Path) -> Kept | None:
    """Return the finished stack of a folder; None if the report is not the one written."""
    try:
        require_regular(folder / "report.json", "report", most_bytes=MAX_REPORT_BYTES)
        text = read_text_file(folder / PROFILE_FILE, "profile", most_bytes=MAX_REPORT_BYTES)
        return _kept((folder / "report.json").read_bytes(), text)
    except (OSError, ValueError, KeyError, TypeError, InputError, RecursionError):
        return None


def _kept(report: bytes, text: str) -> Kept:
    """Return the contents of both files; raise ValueError if they do not belong together."""
    known = json.loads(text)
    if known["report_sha256"] != hashlib.sha256(report).hexdigest():
        raise ValueError("of another report")
    profile: DepthProfile = checked(DepthProfile, known["profile"])
    inputs = json.loads(report)["provenance"]["inputs"].get(profile.name, {})
    return Kept(profile, checked(dict[Role, FileIdentity], inputs))


def is_same(
    kept: Kept, planned: DepthProfile, hashing: Callable[[int, int], None] = lambda _n, _all: None
) -> bool:
    """Return whether reading a finished stack now would give the same numbers.

    Parameters
    ----------
    kept : Kept
        From `read_kept`.
    planned : DepthProfile
        From a `StackReader` that has not begun: depths and powers, no strengths.
    hashing : callable
        Called with the bytes hashed and the total, if files must be hashed.

    Returns
    -------
    bool
        True if everything that affects the numbers is the same. Files are the same if path, size
        and time are; if moved or touched, if their SHA-256 is that of the report.
    """
    was, now = kept.profile.provenance, planned.provenance
    return (
        was is not None
        and now is not None
        and (kept.profile.name, kept.profile.components) == (planned.name, planned.components)
        and _asked(kept.profile.reading, was.opened) == _asked(planned.reading, now.opened)
        and _made(was) == _made(now)
        and np.array_equal(kept.profile.depth_um, planned.depth_um, equal_nan=True)
        and np.array_equal(kept.profile.power, planned.power, equal_nan=True)
        and kept.profile.power_unit == planned.power_unit
        and _same_files(kept, was, now, hashing)
    )


def _asked(reading: ReadingOptions, opened: StackOptions) -> tuple[ReadingOptions, StackOptions]:
    """Return the recipe without the parts that are compared separately: weights, powers, files."""
    return (
        reading.but(weights="", device="", precision="auto"),
        opened.but(source=None, name=None, power=None, power_scale=None, detector=None),
    )


def _made(made: Provenance) -> tuple[object, ...]:
    return made.image, made.weights, made.device, made.precision, made.versions, made.detector


def _same_files(
    kept: Kept, was: Provenance, now: Provenance, hashing: Callable[[int, int], None]
) -> bool:
    state, known = file_state(now.source), kept.inputs.get("stack")
    if state is None or was.files is None or was.files.n_bytes != state.n_bytes:
        return False
    if (was.source, was.files) == (now.source, state):
        return True
    read = 0

    def advance(n: int) -> None:
        nonlocal read
        read += n
        hashing(read, state.n_bytes)

    sha256 = known and known.sha256
    return sha256 is not None and sha256 == sha256_of(now.source, advance)
