"""A stack opened and read again as a document says that it was."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError
from cop_core.report.sources import POWER, STACK, WEIGHTS, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.reading import Estimator
    from cop_core.stacks import Stack
    from cop_core.statistics.profile import DepthProfile

Progress = Callable[[str, int, int], None]
"""Told whose planes are read, steps done and in all."""


def silent(_name: str, _done: int, _total: int) -> None:
    """Tell nobody of progress."""


def require_all(found: Sequence[Source]) -> None:
    """Refuse to go on without an input, with an InputError that names all that are gone."""
    gone = [f"{s.stated} ({s.role} of {s.protocol})" for s in found if s.path is None]
    if gone:
        raise InputError(
            f"it cannot be replayed: gone {'is' if len(gone) == 1 else 'are'} {', '.join(gone)}",
            advice="Say with --data in which folder they are",
        )


def open_again(name: str, made: dict[str, Any], found: Sequence[Source]) -> Stack:
    """Open a stack as it was.

    Parameters
    ----------
    name : str
        Of the protocol.
    made : dict
        Its provenance.
    found : sequence of Source
        From `find_sources`; those of other protocols are left alone.
    """
    from cop_core.stacks import POWER_ARRAY, open_stack

    paths = {source.role: source.path for source in found if source.protocol == name}
    opening = dict(made["opened_with"])
    if opening.get("power") == POWER_ARRAY:
        raise InputError("it cannot be replayed: its power was an array", where=name)
    strange = opening.keys() - inspect.signature(open_stack).parameters.keys()
    if strange:
        raise InputError(f"stacks are not opened with {', '.join(strange)}", where=name)
    if POWER in paths:
        opening["power"] = paths[POWER]
    return open_stack(paths[STACK], name=name, **opening)


def read_again(
    name: str,
    made: dict[str, Any],
    chosen: dict[str, Any],
    found: Sequence[Source],
    excluded: Sequence[dict[str, Any]] = (),
    progress: Progress = silent,
) -> DepthProfile:
    """Read a stack as it was read.

    Parameters
    ----------
    name, made, found
        As for `open_again`.
    chosen : dict
        The settings of its reading.
    excluded : sequence of dict
        From `excluded_of`; planes that were read and then left out are left out again.
    progress : callable
        Told of its name, steps done and in all.
    """
    from cop_core.reading import Settings
    from cop_core.reading import profile as read_profile

    weights = next(s for s in found if s.protocol == name and s.role == WEIGHTS)
    result = read_profile(
        open_again(name, made, found),
        estimator=_estimator(weights, made),
        settings=Settings(**{f.name: chosen[f.name] for f in fields(Settings) if f.name in chosen}),
        progress=lambda done, total: progress(name, done, total),
    )
    return _left_out_again(result, excluded, chosen)


def _estimator(weights: Source, made: dict[str, Any]) -> Estimator:
    """Load the weights with the device and precision that were used, whatever was asked for."""
    from cop_core.reading import load_estimator

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
