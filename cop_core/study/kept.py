"""Finished stacks on disk: kept to the last bit, and known again when a study is resumed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.report.identity import sha256_of
from cop_core.stacks.files import file_state
from cop_core.statistics.profile import DepthProfile, PlaneEstimate
from cop_core.writing import replace_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROFILE_FILE: Final = "profile.json"
"""Beside a stack's report: its profile to the last bit, and the SHA-256 of ``report.json``."""

_SAME: Final = ("stored_as", "shape", "dtype", "weights", "device", "precision", "versions")
"""Of the provenance; the files are compared by themselves, whatever their paths."""


@dataclass(frozen=True)
class Kept:
    """A finished stack as it lies on disk.

    Attributes
    ----------
    profile : DepthProfile
        Equal to the last bit to what was read.
    inputs : dict
        What its report says of its files (`inputs_of`).
    """

    profile: DepthProfile
    inputs: dict[str, Any]


def keep(profile: DepthProfile, folder: Path) -> Kept:
    """Mark a stack as finished, once its report is written.

    Parameters
    ----------
    profile : DepthProfile
        What the report in the folder is about.
    folder : Path
        Holds the report.

    Returns
    -------
    Kept
        As `read_kept` returns it from now on.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    report = (folder / "report.json").read_bytes()
    # floats are written with as many digits as tell them apart, so reading gives the same ones
    text = json.dumps(
        {"report_sha256": hashlib.sha256(report).hexdigest(), "profile": asdict(profile)},
        default=lambda array: array.tolist(),
    )
    replace_files({folder / PROFILE_FILE: text.encode()})
    return _kept(report, text)


def read_kept(folder: Path) -> Kept | None:
    """Return the finished stack of a folder.

    Parameters
    ----------
    folder : Path
        Of one stack.

    Returns
    -------
    Kept or None
        None where nothing is finished there, or the report is no longer the one written.
    """
    try:
        report = (folder / "report.json").read_bytes()
        return _kept(report, (folder / PROFILE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _kept(report: bytes, text: str) -> Kept:
    """Return what both files hold; ValueError where they do not belong together."""
    kept = json.loads(text)
    if kept["report_sha256"] != hashlib.sha256(report).hexdigest():
        raise ValueError("of another report")
    profile = _profile(**kept["profile"])
    return Kept(profile, json.loads(report)["provenance"]["inputs"].get(profile.name, {}))


def is_same(
    kept: Kept,
    planned: DepthProfile,
    hashing: Callable[[int, int], None] = lambda _done, _total: None,
) -> bool:
    """Tell whether a finished stack is what would be read now.

    Parameters
    ----------
    kept : Kept
        From `read_kept`.
    planned : DepthProfile
        Of a `Reading` that has not begun: settings, weights, depths and powers, no strengths.
    hashing : callable
        Told of bytes hashed and in all, where files must be hashed.

    Returns
    -------
    bool
        True where everything that decides the numbers is the same. The files are where their
        path, size and time are; elsewhere, or touched, where their SHA-256 is that of the report.
    """
    was, now = kept.profile.provenance, json.loads(json.dumps(planned.provenance))
    return (
        (kept.profile.name, kept.profile.components) == (planned.name, planned.components)
        and kept.profile.settings == json.loads(json.dumps(planned.settings))
        and all(was.get(key) == now[key] for key in _SAME)
        and _opening(was) == _opening(now)
        and np.array_equal(kept.profile.depth_um, planned.depth_um, equal_nan=True)
        and np.array_equal(kept.profile.power_mw, planned.power_mw, equal_nan=True)
        and _same_files(kept, now["source"], hashing)
    )


def _opening(made: dict[str, Any]) -> dict[str, Any]:
    """Return how a stack was opened but for the power, which is compared plane by plane."""
    return {key: value for key, value in (made.get("opened_with") or {}).items() if key != "power"}


def _same_files(kept: Kept, source: str, hashing: Callable[[int, int], None]) -> bool:
    was, files = kept.profile.provenance.get("source"), kept.profile.provenance.get("files")
    state, known = file_state(source), kept.inputs.get("stack") or {}
    if not state or not files or files["n_bytes"] != state["n_bytes"]:
        return False
    if (was, files) == (source, state):
        return True
    read = 0

    def advance(n: int) -> None:
        nonlocal read
        read += n
        hashing(read, state["n_bytes"])

    return known.get("sha256") is not None and known["sha256"] == sha256_of(source, advance)


def _profile(
    name: str,
    components: list[str],
    planes: list[dict[str, Any]],
    settings: dict[str, Any],
    provenance: dict[str, Any],
) -> DepthProfile:
    n = len(components)
    read = tuple(_plane(n, **plane) for plane in planes)
    return DepthProfile(name, tuple(components), read, settings, provenance)


def _plane(n_components: int, **fields: Any) -> PlaneEstimate:
    crops = fields["strengths"]
    arrays = {key: np.array(fields[key], dtype=np.float64) for key in ("mean", "sd", "uncertainty")}
    return PlaneEstimate(
        **{
            **fields,
            **arrays,
            "flags": tuple(fields["flags"]),
            "strengths": np.array(crops, dtype=np.float64).reshape(
                len(crops), n_components if crops else 0
            ),
        }
    )
