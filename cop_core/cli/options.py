"""Options that several commands share."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

if TYPE_CHECKING:
    from cop_core.reading import Estimator, Settings

# Both are said again where they are used; importing them would import zarr and torch for --help.
AS_FILE: Final = "metadata"
"""Given for a stack: what its file states."""
DEFAULT_NORMALISATION: Final = "plane-percentile"

ZStep = Annotated[
    list[str] | None,
    typer.Option(
        "--z-step-um",
        metavar="UM",
        help="Distance between planes in um, where the file does not say.",
    ),
]
Channel = Annotated[
    list[str] | None, typer.Option(help="Channel, by number from 0 or by name.", metavar="CHANNEL")
]
Time = Annotated[list[str] | None, typer.Option(help="Time point, from 0.", metavar="TIME")]
Axes = Annotated[
    list[str] | None,
    typer.Option(
        help="Order of the axes, for example ZCYX, where the file is wrong.", metavar="AXES"
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        "--estimator",
        "--weights",
        help="Weights: default, paper-small (the paper's), or a .safetensors.",
    ),
]
Normalise = Annotated[
    Literal["plane-minmax", "plane-percentile", "stack-percentile"],
    typer.Option("--normalisation", help="What becomes 0 and 1 before the network reads a plane."),
]
Crops = Annotated[
    int | None,
    typer.Option(min=1, help="Random 192x192 crops a plane; without it every pixel is used."),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Offset = Annotated[
    float | None, typer.Option("--offset-counts", help="The detector's zero level, where known.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[
    Literal["auto", "float32", "bfloat16"],
    typer.Option(help="Of the network; auto takes bfloat16 where the processor is built for it."),
]
Partial = Annotated[
    bool, typer.Option("--allow-partial", help="Read what is left of a file that is cut off.")
]


@dataclass(frozen=True)
class Options:
    """How stacks are opened and read.

    What may differ between two stacks is a list: given once it holds for both, given twice for
    one each.
    """

    z_step_um: ZStep = None
    channel: Channel = None
    time: Time = None
    axes: Axes = None
    estimator: Weights = "default"
    normalisation: Normalise = DEFAULT_NORMALISATION
    crops: Crops = None
    seed: Seed = 0
    offset_counts: Offset = None
    device: Device = "auto"
    precision: Precision = "auto"
    allow_partial: Partial = False

    def opening(self, n: int) -> list[dict[str, Any]]:
        """Return the keyword arguments of `open_stack` for each of n stacks.

        Raises
        ------
        typer.BadParameter
            If an option is given neither once nor n times, or is not a number.
        """
        columns = {
            "z_step_um": _each("--z-step-um", self.z_step_um, n, float),
            "channel": _each("--channel", self.channel, n, _channel),
            "time": _each("--time", self.time, n, int),
            "axes": _each("--axes", self.axes, n, str),
            "allow_partial": [self.allow_partial] * n,
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def settings(self) -> "Settings":
        """Return the settings of the estimation."""
        from cop_core.reading import Settings

        return Settings(self.normalisation, self.crops, self.seed, self.offset_counts)

    def load(self) -> "Estimator":
        """Load the weights."""
        from cop_core.reading import load_estimator

        return load_estimator(self.estimator, device=self.device, precision=self.precision)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every field of `Options` as an option; it gets them as ``options``."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != "options"]
    shared = inspect.signature(Options).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        options = Options(**{field.name: given.pop(field.name) for field in fields(Options)})
        command(**given, options=options)

    run.__signature__ = signature.replace(parameters=[*own, *shared.values()])  # type: ignore[attr-defined]
    return run


def _each(option: str, given: list[str] | None, n: int, read: Callable[[str], Any]) -> list[Any]:
    """Return an option's value for each of n stacks, None where the file is to state it."""
    texts = given or [AS_FILE]
    if len(texts) not in (1, n):
        problem = f"given {len(texts)} times for {n} stack{'s' if n > 1 else ''}"
        raise typer.BadParameter(problem, param_hint=option)
    try:
        values = [None if text == AS_FILE else read(text) for text in texts]
    except ValueError:
        raise typer.BadParameter("not a number", param_hint=option) from None
    return values * (n // len(values))


def _channel(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text
