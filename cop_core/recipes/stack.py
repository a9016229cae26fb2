"""Options of a stack: which file, which of the stacks in it, its depths and powers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from cop_core.recipes.base import Option, Part
from cop_core.recipes.power import POWER_FORMS, SCALE_FORMS, PowerGiven, ScaleGiven
from cop_core.recipes.values import AS_FILE, Channel, Index, PathText, Positive, TimePoint

End = Literal["first", "last"]
"""One end of a stack, in the order in which its planes were acquired."""


class StackOptions(Part):
    """How a stack is opened; None, or the text ``metadata``, means the value stated in the file.

    Attributes
    ----------
    source : str or None
        Path of the file or folder; None if it is not in a file (an array, a layer, a running
        acquisition).
    name : str or None
        Name of the stack.
    left_out : dict of int to str
        Planes to leave out of fits, by index, with the reason.
    """

    source: PathText | None = None
    name: Annotated[
        str | None,
        Option("Name of the stack in tables and figures.", "Name", empty="name of the file"),
    ] = None
    z_step_um: Annotated[
        Positive | None,
        Option(
            "Distance between planes in µm, if the file does not state it.",
            "Z step (µm)",
            metavar="UM",
            empty="as the file states",
        ),
    ] = None
    power: Annotated[
        PowerGiven,
        Option(
            f"Excitation power at the sample: {POWER_FORMS}.",
            "Power",
            metavar="POWER",
            empty="as the file states",
            path=True,
        ),
    ] = None
    power_scale: Annotated[
        ScaleGiven,
        Option(
            f"Converts the file's own unit of power to mW: {SCALE_FORMS}.",
            "Power scale",
            metavar="SCALE",
            empty="power stays in the file's unit",
            path=True,
        ),
    ] = None
    detector: Annotated[
        PathText | None,
        Option(
            "detector.json written by cop detector; its zero level becomes black.",
            "Detector",
            metavar="FILE",
            empty="not known",
            words={AS_FILE: "not known"},
            path=True,
            pattern="*.json",
        ),
    ] = None
    surface: Annotated[
        End | None,
        Option(
            "Plane at the surface, where depth is 0: the first or the last acquired.",
            "Surface",
            metavar="first|last",
            empty="from file or power",
        ),
    ] = None
    channel: Annotated[
        Channel,
        Option(
            "Channel, by number from 0 or by name.", "Channel", metavar="CHANNEL",
            empty="the only one",
        ),
    ] = None  # fmt: skip
    time: Annotated[
        TimePoint | None,
        Option(
            "Time point, from 0, or mean to average the time points of each plane.",
            "Time",
            metavar="TIME",
            empty="the only one",
        ),
    ] = None
    position: Annotated[
        Index | None,
        Option(
            "Stage position, scene or region, from 0, if the file has several.",
            "Position",
            metavar="POSITION",
            empty="the only one",
        ),
    ] = None
    axes: Annotated[
        str | None,
        AfterValidator(lambda axes: axes and axes.upper()),
        Option(
            "Order of the axes, such as ZCYX, if the file states it wrongly.",
            "Axes",
            metavar="AXES",
            empty="as the file states",
        ),
    ] = None
    level: Annotated[
        Index,
        Option(
            "Resolution level of a pyramid; 0 is the finest.",
            "Level",
            metavar="LEVEL",
            flags=("--pyramid-level",),
        ),
    ] = 0
    allow_partial: Annotated[
        bool,
        Option("Read what remains of a truncated file.", "Read truncated files", column=False),
    ] = False
    left_out: dict[Index, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)

    @field_validator(
        "name",
        "z_step_um",
        "detector",
        "surface",
        "channel",
        "time",
        "position",
        "axes",
        mode="before",
    )
    @classmethod
    def _as_file(cls, value: Any) -> Any:
        return None if isinstance(value, str) and value == AS_FILE else value
