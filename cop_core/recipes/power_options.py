"""What is asked of a recommended power."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from cop_core.errors import option
from cop_core.recipes.base import Option, Part, RefusedValueError
from cop_core.recipes.values import DepthWindow, Finite, NotNegative, Positive, number, whole

Hold = Literal["signal", "poisson", "gaussian", "quantization"]
HIGHEST_LIMIT_MW: Final = 1000.0
"""A limit above this is taken for a mistaken unit: average power at a sample stays below it."""
FAINTEST: Final = 0.02
"""Below, a strength is as good as none and its logarithm says nothing."""
STRONGEST: Final = 0.4
"""Above, noise itself stretches the range that it is measured by."""
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
    """Which power is wanted.

    Attributes
    ----------
    max_power, max_power_mw : float or None
        One of them must be given.
    surface_power : float or None
        What it gives at depth 0 is held. Without it and `level`, what the stack shows at its
        shallowest usable plane is held.
    level : float or None
        Counts of bright signal above the offset, or a strength from 0.02 to 0.4.
    depths_um : tuple of float or None
        Depths of the next stack, ascending; those of this stack where not given.
    most_breaks : int
        Changes of attenuation length to look for.
    share : float
        Share of a plane that counts as bright structures.
    """

    max_power: Annotated[
        Positive | None,
        Option(
            "Limit in the file's own unit of power, in place of one in mW, where no scale makes "
            "mW of it; all other powers are then in that unit too.",
            "Limit (own unit)",
            metavar="POWER",
            empty="must be given",
        ),
    ] = None
    max_power_mw: Annotated[
        Limit | None,
        Field(validate_default=True),
        Option(
            "Limit in mW at the sample, which no power exceeds.",
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
                "poisson": "Poisson noise",
                "gaussian": "Gaussian noise",
                "quantization": "quantization",
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
            "Power at depth 0, in the unit of the limit; the result there is held at every depth.",
            "At surface",
            metavar="POWER",
            empty="as acquired",
        ),
    ] = None
    excitation_order: Annotated[
        Literal[3, 2, 1, 4],
        BeforeValidator(lambda value: int(value) if value in tuple("1234") else value),
        Option(
            "Order of the excitation: 3 for three-photon, 2 for two-photon.",
            "Excitation",
            words={"3": "three-photon", "2": "two-photon", "1": "one-photon", "4": "four-photon"},
        ),
    ] = 3
    max_rise: Annotated[
        Positive | None,
        Option(
            "Largest rise from one plane to the next, in the unit of the limit.", "Largest rise",
            metavar="POWER", empty="any",
        ),
    ] = None  # fmt: skip
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
            "Depths in µm that enter the fit, 100:600, or 100: or :600 where one side is open.",
            "Depths of the fit (µm)",
            metavar="LOW:HIGH",
            empty="all",
        ),
    ] = None
    follow_um: Annotated[
        NotNegative,
        Option(
            "Depth in µm over which this tissue's own course around the law is followed; 0 holds "
            "the law alone.",
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
                f"{'no' if max_power_mw is None else 'more than one'} limit is given",
                advice="give the highest power allowed, in mW at the sample with "
                f"{option('max_power_mw')} or in the file's own unit with {option('max_power')}",
            )
        return max_power_mw

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.surface_power is not None and self.level is not None:
            raise RefusedValueError(
                "a level and a power at the surface are both given, and each sets the other",
                advice="give one of them",
            )
        if self.surface_power is not None and self.surface_power > self.limit:
            raise RefusedValueError(
                f"{self.surface_power:.6g} at the surface is above the limit of {self.limit:.6g}",
                advice="lower it; both are in one unit",
            )
        strength = self.hold != "signal" and self.level is not None
        if strength and not FAINTEST <= (self.level or 0) <= STRONGEST:
            raise RefusedValueError(
                f"a strength of {self.level:g} cannot be held",
                advice=f"give a share of 1, from {FAINTEST} to {STRONGEST}",
            )
        return self


def _device_and_property(value: object) -> object:
    """Return what is written in one text, ``Laser-Power_mW`` or with a space, as two names."""
    if not isinstance(value, str):
        return value
    device, _, name = value.strip().rpartition(" " if " " in value.strip() else "-")
    if not (device and name):
        raise RefusedValueError("name a device and a property of it, as Laser-Power_mW")
    return device.strip(), name


class AcquisitionOptions(Part):
    """How the recommended power becomes an acquisition."""

    laser: Annotated[
        tuple[str, str],
        BeforeValidator(_device_and_property),
        Option(
            "Device and property that set mW at the sample, for plan.json.",
            "Laser",
            metavar="DEVICE PROPERTY",
        ),
    ] = ("Laser", "Power_mW")
    surface_um: Annotated[
        Finite,
        Option("Stage position of depth 0, for plan.json.", "Stage at surface (µm)", metavar="UM"),
    ] = 0.0
    stage_falls: Annotated[
        bool, Option("The stage's z falls with depth, for plan.json.", "Stage falls with depth")
    ] = False
