"""An acquisition for pymmcore-plus with a power for every plane (needs useq-schema)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import model_validator
from useq import MDAEvent, MDASequence, PropertyTuple, ZAbsolutePositions, ZTopBottom

from cop_core.errors import InputError
from cop_core.power.limit import PowerLimit
from cop_core.text_file import read_text_file

if TYPE_CHECKING:
    from cop_core.power.recommendation import Recommendation

_REGULAR_UM: Final = 1e-6
_ADVICE: Final = "write it again with cop recommend"


class PowerSequence(MDASequence):
    """A z-stack that sets the power of a laser before every plane.

    Attributes
    ----------
    laser : tuple of str
        Device and property that take the power in mW at the sample.
    power_mw : tuple of float
        One for every plane of the z plan.
    max_power_mw : float
        A sequence that exceeds it cannot be made, read or run.
    """

    laser: tuple[str, str]
    power_mw: tuple[float, ...]
    max_power_mw: float

    @model_validator(mode="before")
    @classmethod
    def _keep_the_limit(cls, given: Any) -> Any:
        """Check the numbers as given, before conversion."""
        if isinstance(given, dict):
            limit = PowerLimit(given.get("max_power_mw", float("nan")))
            limit.require_all(given.get("power_mw", ()))
        return given

    @model_validator(mode="after")
    def _one_power_a_plane(self) -> PowerSequence:
        z_um = list(self.z_plan) if self.z_plan and "z" in self.axis_order else []
        if len(z_um) != len(self.power_mw):
            raise InputError(
                f"{len(self.power_mw)} powers for {len(z_um)} planes", where="plan", advice=_ADVICE
            )
        for position in self.stage_positions:
            own = position.sequence and position.sequence.z_plan
            if own and not _same_steps(list(own), z_um):
                raise InputError(
                    "a stage position has its own z plan with different steps, which the powers do "
                    "not match",
                    where="plan",
                    advice="give it the same number of planes and the same step, or no z plan",
                )
        return self

    def iter_events(self) -> Iterator[MDAEvent]:
        """Yield the events, each with the power of its plane."""
        limit = PowerLimit(self.max_power_mw)
        for event in super().iter_events():
            power_mw = limit.require(self.power_mw[event.index["z"]])
            power = PropertyTuple(*self.laser, power_mw)
            yield event.replace(properties=[*(event.properties or ()), power])


def power_sequence(
    found: Recommendation,
    laser: tuple[str, str],
    *,
    surface_um: float = 0.0,
    downwards: int = 1,
) -> PowerSequence:
    """Return a recommendation as a sequence for ``core.run_mda``, from the surface down.

    Parameters
    ----------
    found : Recommendation
    laser : (str, str)
        Device and property that take the power; its value must be in mW at the sample.
    surface_um : float
        Stage position of depth 0.
    downwards : int
        1 where the stage's z grows with depth, -1 where it falls; else InputError.
    """
    if downwards not in (1, -1):
        raise InputError(f"{downwards!r} is not a direction of the stage", advice="use 1 or -1")
    return PowerSequence(
        z_plan=_z_plan(surface_um + downwards * found.depth_um),
        laser=laser,
        power_mw=found.limit.require_all(found.power).tolist(),
        max_power_mw=found.limit.max_power,
    )


def plan_text(sequence: PowerSequence) -> str:
    """Return a sequence as JSON that `read_plan` reads, its events beside it.

    The events are plain useq-schema, for programs without `PowerSequence`:
    ``[useq.MDAEvent(**event) for event in json.load(file)["events"]]``.
    """
    events = [json.loads(event.model_dump_json(exclude_none=True)) for event in _bare(sequence)]
    content = json.loads(sequence.model_dump_json(exclude_unset=True))
    return json.dumps({"sequence": content, "events": events}, indent=1) + "\n"


def read_plan(path: str | Path) -> PowerSequence:
    """Read a plan that `plan_text` wrote.

    Raises
    ------
    InputError
        If it is not such a file, if only one half was edited, if it exceeds its limit, or if a
        plane has no power.
    """
    try:
        content = json.loads(read_text_file(Path(path), "power plan", advice=_ADVICE))
        sequence = PowerSequence.model_validate(content["sequence"])
        events = [MDAEvent.model_validate(event) for event in content["events"]]
        planned = _bare(sequence)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        problem = f"no power plan can be read from it ({type(error).__name__})"
        raise InputError(problem, where=str(path), advice=_ADVICE) from None
    if events != planned:
        raise InputError("its events and its sequence differ", where=str(path), advice=_ADVICE)
    return sequence


def _bare(sequence: PowerSequence) -> list[MDAEvent]:
    """Return the events without their reference to the sequence."""
    return [event.replace(sequence=None) for event in sequence]


def _same_steps(z_um: list[float], others_um: list[float]) -> bool:
    """Return whether planes have the spacing of others, wherever they begin."""
    return len(z_um) == len(others_um) and np.allclose(
        np.diff(z_um), np.diff(others_um), 0, _REGULAR_UM
    )


def _z_plan(z_um: np.ndarray[Any, np.dtype[np.float64]]) -> ZTopBottom | ZAbsolutePositions:
    """Return the positions as a range if they are regular, which keeps the step in the file."""
    positions = z_um.tolist()
    if len(positions) > 1:
        ends = {"top": max(positions), "bottom": min(positions)}
        step = abs(positions[-1] - positions[0]) / (len(positions) - 1)
        plan = ZTopBottom(**ends, step=step, go_up=positions[-1] > positions[0])
        planned = list(plan)
        if len(planned) == len(positions) and np.allclose(planned, positions, 0, _REGULAR_UM):
            return plan
    return ZAbsolutePositions(absolute=positions)
