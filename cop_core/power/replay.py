"""A recommendation computed again from what its document says."""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError
from cop_core.power.document import recommendation_document
from cop_core.power.recommend import recommend_power
from cop_core.power.write import write_recommendation
from cop_core.report.again import Progress, open_again, read_again, require_all
from cop_core.report.replay import Repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.report.sources import Source


def repeat_recommendation(
    document: dict[str, Any], found: Sequence[Source], progress: Progress
) -> Repeated:
    """Read the stack of a recommendation again and recommend what was asked.

    It is written without an acquisition plan: which device takes the power is not in the document.

    Parameters
    ----------
    document : dict
        From `read_document`.
    found : sequence of Source
        From `find_sources`.
    progress : callable
        Told of the stack's name, steps done and in all.

    Raises
    ------
    InputError
        An input is gone or cannot be opened, or the power was recommended in a way that cannot
        be repeated.
    """
    made_of = document["provenance"]["protocols"]
    if len(made_of) != 1 or not document["settings"]:
        raise InputError("it does not say how it was made")
    require_all(found)
    ((name, made),) = made_of.items()
    asked = dict(document["settings"])
    reading = asked.pop("reading", None)
    strange = asked.keys() - inspect.signature(recommend_power).parameters.keys()
    if strange:
        raise InputError(f"power is not recommended by {', '.join(sorted(strange))}", where=name)
    asked["progress"] = partial(progress, name)
    if reading is None:
        recommended = recommend_power(open_again(name, made, found), **asked)
    else:
        profile = read_again(name, made, reading, found, reading["excluded"], progress)
        source = profile if reading["plane_means"] else open_again(name, made, found)
        recommended = recommend_power(source, profile=profile, **asked)

    def write(folder: Path, command: str) -> Path:
        return write_recommendation(recommended, folder, laser=None, command=command)

    return Repeated(recommendation_document(recommended), write)
