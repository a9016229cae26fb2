"""A document computed again from what it says of itself; reports here, others beside theirs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.report.again import Progress, read_again, require_all, silent
from cop_core.report.document import SCHEMA_VERSION, report_document
from cop_core.report.sources import Source
from cop_core.report.write import write_report
from cop_core.statistics.compare import compare
from cop_core.statistics.profile import NOT_READ, DepthProfile

if TYPE_CHECKING:
    import os

    from cop_core.report.protocols import Result

_NO_REPORT: Final = "Give what cop profile, compare, watch, batch or recommend wrote with -o"
_NAMES: Final = ("report.json", "study.json", "recommendation.json")
_PARTS: Final = {
    "profile": ("protocols",),
    "comparison": ("protocols",),
    "study": ("stacks", "comparisons"),
    "recommendation": ("planes",),
}
"""Kinds of documents that are computed again, and what each holds."""


@dataclass(frozen=True)
class Repeated:
    """A document computed again.

    Attributes
    ----------
    document : dict
        As the one that was stated.
    write : callable
        Writes it, with its tables and figures, into a folder that it is given with the command
        line, and returns the folder.
    """

    document: dict[str, Any]
    write: Callable[[Path, str], Path]


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the document of a profile, a comparison, a study or a recommendation.

    Parameters
    ----------
    path : path
        The file, or the folder it lies in.

    Returns
    -------
    dict
        As from `report_document`, `study_document` or `recommendation_document`.

    Raises
    ------
    InputError
        It cannot be read, is none of these, or is one of another schema.
    """
    file = Path(path)
    if file.is_dir():
        file = next((file / name for name in _NAMES if (file / name).exists()), file / _NAMES[0])
    try:
        text = file.read_text(encoding="utf-8")
        if text.startswith('{"plane": '):
            raise InputError(
                "lines of cop watch --json do not say how they were made",
                where=str(file),
                advice="Give it -o too; its report can be replayed",
            )
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"no report can be read ({problem})", where=str(file), advice=_NO_REPORT
        ) from error
    _require_report(document, str(file))
    known: dict[str, Any] = document
    return known


def repeat(
    document: dict[str, Any],
    found: Sequence[Source],
    *,
    normalisation: str | None = None,
    progress: Progress = silent,
) -> Result:
    """Read the stacks of a report again and compare them as it says.

    Planes that were left out by hand are left out again.

    Parameters
    ----------
    document : dict
        From `read_document`, of a profile or a comparison.
    found : sequence of Source
        From `find_sources`.
    normalisation : str, optional
        Another than the report's.
    progress : callable
        Called with a protocol, steps done and steps in all.

    Returns
    -------
    DepthProfile or Comparison
        For `report_document`.

    Raises
    ------
    InputError
        An input is gone or cannot be opened, or the report was made in a way that cannot be
        repeated.
    """
    require_all(found)
    profiles = [
        _profile(document, name, found, normalisation, progress) for name in document["protocols"]
    ]
    if document["kind"] == "profile":
        return profiles[0]
    chosen = document["settings"]["comparison"]
    known = inspect.signature(compare).parameters
    return compare(*profiles, **{key: value for key, value in chosen.items() if key in known})


def repeat_report(
    document: dict[str, Any], found: Sequence[Source], progress: Progress = silent
) -> Repeated:
    """Compute a report again, under other normalisations too where it was; as `repeat` does."""
    result = repeat(document, found, progress=progress)
    again = {
        name: repeat(document, found, normalisation=name, progress=progress)
        for name in document.get("sensitivity") or ()
    }
    others: Mapping[str, Sequence[DepthProfile]] = {
        name: [one] if isinstance(one, DepthProfile) else one.profiles
        for name, one in again.items()
    }

    def write(folder: Path, command: str) -> Path:
        return write_report(result, folder, command=command, others=others)

    return Repeated(report_document(result, others=others), write)


def _require_report(document: Any, where: str) -> None:
    parts: tuple[str, ...] = ("schema_version", "kind", "settings", "provenance")
    if isinstance(document, dict):
        parts += _PARTS.get(str(document.get("kind")), ())
    if not isinstance(document, dict) or not all(part in document for part in parts):
        raise InputError("it is no report", where=where, advice=_NO_REPORT)
    version, kind = str(document["schema_version"]), str(document["kind"])
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        problem = f"it has schema {version}, this version reads {SCHEMA_VERSION}"
        raise InputError(problem, where=where, advice="Use the version that wrote it")
    if kind not in _PARTS:
        raise InputError(f"a report of kind {kind!r} cannot be replayed", where=where)
    made, chosen = (document[part].get("protocols") for part in ("provenance", "settings"))
    whole = isinstance(made, dict)
    if "protocols" in _PARTS[kind]:
        whole = whole and isinstance(document["protocols"], dict) and isinstance(chosen, dict)
        whole = whole and document["protocols"].keys() <= made.keys() & chosen.keys()
    if kind in ("comparison", "study"):
        whole = whole and isinstance(document["settings"].get("comparison"), dict)
    if not whole:
        raise InputError("it does not say how it was made", where=where, advice=_NO_REPORT)


def _profile(
    document: dict[str, Any],
    name: str,
    found: Sequence[Source],
    normalisation: str | None,
    progress: Progress,
) -> DepthProfile:
    made, chosen = document["provenance"]["protocols"][name], document["settings"]["protocols"]
    own, excluded = chosen[name], document["protocols"][name]["excluded"]
    if any(left_out["reason"] == NOT_READ for left_out in excluded):
        raise InputError("it cannot be replayed: its reading was stopped", where=name)
    if normalisation is not None:
        own = {**own, "normalisation": normalisation}
    return read_again(name, made, own, found, excluded, progress)
