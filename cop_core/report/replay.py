"""A report computed again from what it says of itself."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.depth.compare import compare
from cop_core.depth.profile import NOT_READ, DepthProfile
from cop_core.errors import InputError
from cop_core.report.document import SCHEMA_VERSION
from cop_core.report.sources import POWER, STACK, WEIGHTS, Source

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from cop_core.estimation import Estimator
    from cop_core.report.protocols import Result

_NO_REPORT = "Give the report.json that cop profile or cop compare wrote"


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a ``report.json``.

    Parameters
    ----------
    path : path
        The file, or the folder it lies in.

    Returns
    -------
    dict
        As from `report_document`.

    Raises
    ------
    InputError
        It cannot be read, is no report of a profile or a comparison, or is one of another
        schema.
    """
    file = Path(path)
    if file.is_dir():
        file /= "report.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
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
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> Result:
    """Read the stacks of a report again and compare them as it says.

    Planes that were left out by hand are left out again.

    Parameters
    ----------
    document : dict
        From `read_document`.
    found : sequence of Source
        From `find_sources`.
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
    _require_all(found)
    profiles = [
        _profile(document, name, {s.role: s for s in found if s.protocol == name}, progress)
        for name in document["protocols"]
    ]
    if document["kind"] == "profile":
        return profiles[0]
    chosen = document["settings"]["comparison"]
    known = inspect.signature(compare).parameters
    return compare(*profiles, **{key: value for key, value in chosen.items() if key in known})


def _require_report(document: Any, where: str) -> None:
    parts = ("schema_version", "kind", "protocols", "settings", "provenance")
    if not isinstance(document, dict) or not all(part in document for part in parts):
        raise InputError("it is no report", where=where, advice=_NO_REPORT)
    version, kind = str(document["schema_version"]), document["kind"]
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        problem = f"it has schema {version}, this version reads {SCHEMA_VERSION}"
        raise InputError(problem, where=where, advice="Use the version that wrote it")
    if kind not in ("profile", "comparison"):
        raise InputError(f"a report of kind {kind!r} cannot be replayed", where=where)
    made, chosen = (document[part].get("protocols") for part in ("provenance", "settings"))
    whole = all(isinstance(part, dict) for part in (document["protocols"], made, chosen))
    if kind == "comparison":
        whole = whole and isinstance(document["settings"].get("comparison"), dict)
    if not whole or not document["protocols"].keys() <= made.keys() & chosen.keys():
        raise InputError("it does not say how it was made", where=where, advice=_NO_REPORT)


def _require_all(found: Sequence[Source]) -> None:
    gone = [f"{s.stated} ({s.role} of {s.protocol})" for s in found if s.path is None]
    if gone:
        raise InputError(
            f"it cannot be replayed: gone {'is' if len(gone) == 1 else 'are'} {', '.join(gone)}",
            advice="Say with --data in which folder they are",
        )


def _profile(
    document: dict[str, Any],
    name: str,
    found: dict[str, Source],
    progress: Callable[[str, int, int], None],
) -> DepthProfile:
    from cop_core.estimation import Settings
    from cop_core.estimation import profile as read_profile
    from cop_core.stacks import POWER_ARRAY, open_stack

    made, chosen = document["provenance"]["protocols"][name], document["settings"]["protocols"]
    opening = dict(made["opened_with"])
    if opening.get("power") == POWER_ARRAY:
        raise InputError("it cannot be replayed: its power was an array", where=name)
    if any(left_out["reason"] == NOT_READ for left_out in document["protocols"][name]["excluded"]):
        raise InputError("it cannot be replayed: its reading was stopped", where=name)
    strange = opening.keys() - inspect.signature(open_stack).parameters.keys()
    if strange:
        raise InputError(f"stacks are not opened with {', '.join(strange)}", where=name)
    if POWER in found:
        opening["power"] = found[POWER].path
    own = {f.name: chosen[name][f.name] for f in fields(Settings) if f.name in chosen[name]}
    result = read_profile(
        open_stack(found[STACK].path, name=name, **opening),
        estimator=_estimator(found[WEIGHTS], made),
        settings=Settings(**own),
        progress=lambda done, total: progress(name, done, total),
    )
    return _left_out_again(result, document["protocols"][name]["excluded"], chosen[name])


def _estimator(weights: Source, made: dict[str, Any]) -> Estimator:
    """Load the weights with the device and precision that were used, whatever was asked for."""
    from cop_core.estimation import load_estimator

    assert weights.path is not None
    name = weights.stated if weights.path.stem == weights.stated else weights.path
    return load_estimator(
        name, device=made.get("device") or "auto", precision=made.get("precision") or "auto"
    )


def _left_out_again(
    profile: DepthProfile, excluded: Sequence[dict[str, Any]], chosen: dict[str, Any]
) -> DepthProfile:
    """Return a profile without the planes that were read and then left out, as by a window."""
    reasons = {e["plane"]: e["reason"] for e in excluded if e.get("n_crops")}
    planes = tuple(
        replace(plane, reason=plane.reason or reasons.get(plane.index, ""))
        for plane in profile.planes
    )
    return replace(profile, planes=planes, settings={**chosen, **profile.settings})
