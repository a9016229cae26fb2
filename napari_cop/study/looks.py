"""A look at the stacks in a folder, and at the files of a plan.

It runs in a process beside napari's; nothing here imports Qt.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import CopError, InputError
from cop_core.recipes import MW
from cop_core.recipes.plan import move_cells, plan_cells
from cop_core.stacks import open_stack
from cop_core.stacks.listing import list_stacks
from napari_cop.words import said

if TYPE_CHECKING:
    from cop_core.recipes import StackOptions
    from cop_core.stacks import Stack


PLAN: Final = "plan.csv"
STUDY: Final = "study"
"""Default folder for the study, below that of the stacks."""


@dataclass(frozen=True)
class Look:
    """The values in a stack's file, by column of the plan, and its problem, if any."""

    stated: dict[str, str]
    planes: str = ""
    problem: str = ""


def look_at(options: StackOptions) -> Look:
    """Open a stack without reading its pixels."""
    try:
        stack = open_stack(options.source, options)
    except (CopError, OSError) as error:
        return Look({}, problem=said(error).removeprefix(f"{options.source}: "))
    planes, height, width = stack.shape
    return Look(_stated_by(stack), f"{planes} planes, {height} × {width}")


def is_plan(place: Path) -> bool:
    """Return whether a path is a plan rather than a folder of stacks."""
    return place.suffix.lower() == ".csv" and place.is_file()


def listed_cells(place: Path) -> list[dict[str, str]]:
    """Return the rows of a plan, or of a folder's stacks, as filled in earlier."""
    if is_plan(place):
        return list(plan_cells(place))
    saved, known = place / STUDY / PLAN, list[dict[str, str]]()
    with suppress(InputError):  # if none is saved, or it is no longer a plan
        known = move_cells(plan_cells(saved), saved.parent, place)
    return [
        row
        for listed in list_stacks(place).cells
        for row in [k for k in known if Path(k["stack"]) == Path(listed["stack"])] or [listed]
    ]


def _stated_by(stack: Stack) -> dict[str, str]:
    steps = np.diff(stack.depth_um)
    found = {
        "z_step_um": f"{np.median(steps):g}" if np.isfinite(steps).all() and len(steps) else "",
        "channel": stack.image.channel_name or "",
        "power": _range(stack.power[np.isfinite(stack.power)], stack.power_unit),
    }
    return {column: text for column, text in found.items() if text}


def _range(power: np.ndarray[Any, Any], unit: str) -> str:
    if not len(power):
        return ""
    low, high = power.min(), power.max()
    ends = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return ends if unit == MW else f"{ends} {unit}"
