"""Options of a recommended power, and of its acquisition."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from cop_core.errors import option
from cop_core.recipes.base import Option, Part, RefusedValueError
from cop_core.recipes.values import DepthWindow, Finite, NotNegative, Positive, number, whole

Hold = Literal["signal", "poisson", "gaussian", "quantization"]
HIGHEST_LIMIT_MW: Final = 1000.0
"""A limit above this is assumed to be in the wrong unit: average power at a sample is lower."""
FAINTEST: Final = 0.02
"""Below, a strength is practically zero and its logarithm means nothing."""
STRONGEST: Final = 0.4
"""Above, noise itself widens the range against which it is measured."""
FOLLOW_UM: Final = 120.0
Limit = Annotated[
    float,
    Field(gt=0, le=HIGHEST_LIMIT_MW),
    number(f"mW above 0, {HIGHEST_LIMIT_MW:g} at most"),
]
MOST_BREAKS: Final = 2
"""White matter between grey matter has two borders."""
BRIGHT_SHARE: Final = 0.1
"""Share of a plane's blocks that count as its bright structures."""


class PowerOptions(Part):
    """Options of a recommended power.

    Attributes
    ----------
    max_power, max_power_mw : float or None
        Exactly one of them must be set.
    surface_power : float or None
        Power at depth 0, whose level is to be held. Without it and `level`, the value in the
        shallowest usable plane of the stack is held.
    level : float or None
        Counts of bright signal above the offset, or a strength from 0.02 to 0.4.
    excitation_order : int or None
        Number of photons absorbed simultaneously; if not given, 3 is assumed, with a note.
    depths_um : tuple of float or None
        Depths of the next stack, ascending; by default those of this stack.
    most_breaks : int
        Largest number of changes of the attenuation length.
    share : float
        Share of a plane that counts as bright structures.
    """

    max_power: Annotated[
        Positive | None,
        Option(
            "Highest power in the file's own unit, if there is no scale to convert it to mW; all "
            "other powers are then in this unit too.",
            "Limit (own unit)",
            metavar="POWER",
            empty="must be given",
        ),
    ] = None
    max_power_mw: Annotated[
        Limit | None,
        Field(validate_default=True),
        Option(
            "Highest power allowed, in mW at the sample.",
            "Limit (mW)",
            metavar="MW",
            empty="must be given",
        ),
    ] = None
    hold: Annotated[
        Hold,
        Option(
            "What to hold constant over depth.",
            "Hold",
            words={
                "signal": "signal of the bright structures",
                "poisson": "shot noise",
                "gaussian": "Gaussian noise",
                "quantization": "quantization noise",
            },
        ),
    ] = "signal"
    level: Annotated[
        Positive | None,
        Option(
            "Level to hold: counts of signal, or a strength from 0.02 to 0.4.",
            "Level",
            metavar="LEVEL",
            empty="as acquired",
        ),
    ] = None
    surface_power: Annotated[
        Positive | None,
        Option(
            "Power at depth 0, in the unit of the limit; the level that it gives there is held at "
            "every depth.",
            "Power at surface",
            metavar="POWER",
            empty="as acquired",
        ),
    ] = None
    excitation_order: Annotated[
        Literal[3, 2, 1, 4] | None,
        BeforeValidator(lambda value: int(value) if value in tuple("1234") else value),
        Option(
            "Order of the excitation: 3 for three-photon, 2 for two-photon.",
            "Excitation",
            metavar="[3|2|1|4]",
            empty="three-photon, assumed",
            words={"3": "three-photon", "2": "two-photon", "1": "one-photon", "4": "four-photon"},
        ),
    ] = None
    max_rise: Annotated[
        Positive | None,
        Option(
            "Largest increase from one plane to the next, in the unit of the limit.",
            "Largest increase",
            metavar="POWER",
            empty="any",
        ),
    ] = None
    frame_time_s: Annotated[
        Positive | None,
        Option(
            "Time per plane, for energies in mJ.", "Frame time (s)", metavar="S",
            empty="not known",
        ),
    ] = None  # fmt: skip
    window_um: Annotated[
        DepthWindow | None,
        Option(
            "Depths in µm used in the fit, such as 100:600, 100: or :600.",
            "Depths of the fit (µm)",
            metavar="LOW:HIGH",
            empty="all",
        ),
    ] = None
    follow_um: Annotated[
        NotNegative,
        Option(
            "Width in µm over which deviations of this tissue from the law are smoothed and "
            "followed; 0 follows the law alone.",
            "Follow tissue over (µm)",
            metavar="UM",
        ),
    ] = FOLLOW_UM
    depths_um: tuple[Finite, ...] | None = None
    most_breaks: Annotated[int, Field(ge=0, le=3), whole(0, 3)] = MOST_BREAKS
    share: Annotated[float, Field(gt=0, le=1), number("a number above 0, 1 at most")] = BRIGHT_SHARE

    @property
    def limit(self) -> float:
        """The largest power, in mW or in the file's own unit."""
        return next(x for x in (self.max_power_mw, self.max_power) if x is not None)

    @field_validator("max_power_mw")
    @classmethod
    def _one_limit(cls, max_power_mw: float | None, info: ValidationInfo) -> float | None:
        if (max_power_mw is None) == (info.data.get("max_power") is None):
            raise RefusedValueError(
                f"{'no' if max_power_mw is None else 'more than one'} limit is set",
                advice="set the highest power allowed, in mW at the sample with "
                f"{option('max_power_mw')} or in the file's own unit with {option('max_power')}",
            )
        return max_power_mw

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.surface_power is not None and self.level is not None:
            raise RefusedValueError(
                "both a level and a power at the surface are set, but each determines the other",
                advice="set only one of them",
            )
        if self.surface_power is not None and self.surface_power > self.limit:
            raise RefusedValueError(
                f"{self.surface_power:.6g} at the surface is above the limit of {self.limit:.6g}",
                advice="lower it; both are in the same unit",
            )
        strength = self.hold != "signal" and self.level is not None
        if strength and not FAINTEST <= (self.level or 0) <= STRONGEST:
            raise RefusedValueError(
                f"a strength of {self.level:g} cannot be held",
                advice=f"use a strength from {FAINTEST} to {STRONGEST}",
            )
        return self


def _device_and_property(value: object) -> object:
    """Split a text, ``Laser-Power_mW`` or with a space, into the names of device and property."""
    if not isinstance(value, str):
        return value
    device, _, name = value.strip().rpartition(" " if " " in value.strip() else "-")
    if not (device and name):
        raise RefusedValueError("this is not a device and its property, such as Laser-Power_mW")
    return device.strip(), name


class AcquisitionOptions(Part):
    """How the recommended power becomes an acquisition."""

    laser: Annotated[
        tuple[str, str],
        BeforeValidator(_device_and_property),
        Option(
            "Device and property that set the power in mW at the sample, for plan.json.",
            "Laser",
            metavar="DEVICE PROPERTY",
        ),
    ] = ("Laser", "Power_mW")
    surface_um: Annotated[
        Finite,
        Option("Stage position of depth 0, for plan.json.", "Stage at surface (µm)", metavar="UM"),
    ] = 0.0
    stage_falls: Annotated[
        bool, Option("Stage z decreases with depth, for plan.json.", "Stage z decreases with depth")
    ] = False
