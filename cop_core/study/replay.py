"""A study computed again from what its document says."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.report.again import Progress, read_again, require_all
from cop_core.report.replay import Repeated
from cop_core.statistics.component_effect import Choices
from cop_core.study.comparison import ChannelComparison, compare_channels
from cop_core.study.document import study_document
from cop_core.study.kept import Kept
from cop_core.study.plan import Row
from cop_core.study.run import StudyStack
from cop_core.study.write import write_study

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.report.sources import Source


_STATED: Final = {"place", "line", "path", "arm", "name", "animal", "channel", "error"}


def repeat_study(document: dict[str, Any], found: Sequence[Source], progress: Progress) -> Repeated:
    """Read the stacks of a study again and compare the arms as it says.

    Stacks that had failed are not tried again: no number is theirs.

    Parameters
    ----------
    document : dict
        From `read_document`.
    found : sequence of Source
        From `find_sources`.
    progress : callable
        Told of a stack's place, steps done and in all.

    Raises
    ------
    InputError
        An input is gone or cannot be opened, or a stack was read in a way that cannot be
        repeated.
    """
    if not all(isinstance(s, dict) and s.keys() >= _STATED for s in document["stacks"]):
        raise InputError("it does not say how it was made")
    require_all(found)
    settings = document["settings"]
    window_um = settings.get("window_um") and tuple(settings["window_um"])
    known = {f.name for f in fields(Choices)}
    given = {key: value for key, value in settings["comparison"].items() if key in known}
    choices = Choices(**given)

    def compared(**other: str) -> tuple[list[StudyStack], tuple[ChannelComparison, ...]]:
        stacks = [
            _stack(document, stated, {**settings, **other}, found, progress)
            for stated in document["stacks"]
        ]
        return stacks, compare_channels(stacks, window_um=window_um, choices=choices)

    stacks, own = compared()
    others = {name: compared(normalisation=name)[1] for name in document.get("sensitivity") or ()}
    renewed = partial(study_document, stacks, own, window_um=window_um, others=others)

    def write(folder: Path, command: str) -> Path:
        return write_study(renewed(command=command), own, folder)

    return Repeated(renewed(), write)


def _stack(
    document: dict[str, Any],
    stated: dict[str, Any],
    chosen: dict[str, Any],
    found: Sequence[Source],
    progress: Progress,
) -> StudyStack:
    place, made = stated["place"], document["provenance"]
    row = Row(
        line=stated["line"],
        stack=Path(stated["path"]),
        arm=stated["arm"],
        name=stated["name"],
        animal=stated["animal"] or "",
        channel=stated["channel"] or "",
        opening={},
    )
    if place not in made["protocols"]:
        return StudyStack(row, None, stated["error"])
    profile = read_again(place, made["protocols"][place], chosen, found, progress=progress)
    return StudyStack(row, Kept(profile, made["inputs"].get(place, {})))
