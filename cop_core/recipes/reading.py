"""Options of a reading: range, crops, weights, device."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from cop_core.recipes.base import Option, Part
from cop_core.recipes.values import Count, Finite, PathText, Seed

Normalisation = Literal["plane-percentile", "stack-percentile", "plane-minmax"]
NORMALISATIONS: Final[tuple[Normalisation, ...]] = get_args(Normalisation)
PRECISIONS: Final = ("auto", "float32", "bfloat16")
Precision = Annotated[
    Literal["auto", "float32", "bfloat16"],
    Option(
        "Precision of the network; auto uses bfloat16 if the processor supports it.",
        "Precision",
        words={name: name for name in PRECISIONS},
    ),
]

Weights = Annotated[
    PathText,
    Option(
        "Weights: default, paper-small (the paper's noise), or a .safetensors file.",
        "Weights",
        metavar="WEIGHTS",
        words={"default": "microscopy noise", "paper-small": "the paper's noise"},
        flags=("--weights", "--estimator"),
        path=True,
        pattern="*.safetensors",
    ),
]
Device = Annotated[
    str,
    Option(
        "auto (a GPU if there is one), cpu, cuda or mps.",
        "Device",
        words={name: name for name in ("auto", "cpu", "cuda", "mps")},
    ),
]


class ReadingOptions(Part):
    """How planes become strengths."""

    normalisation: Annotated[
        Normalisation,
        Option(
            "Which pixel values become 0 and 1 before the network reads a plane.",
            "Normalisation",
            words={
                "plane-percentile": "each plane, 0.1 to 99.9 %",
                "stack-percentile": "whole stack, 0.1 to 99.9 %",
                "plane-minmax": "each plane, darkest to brightest",
            },
        ),
    ] = "plane-percentile"
    crops: Annotated[
        Count | None,
        Option(
            "Number of random 192x192 crops per plane; by default every pixel is used.",
            "Crops per plane",
            empty="every pixel",
        ),
    ] = None
    seed: Annotated[Seed, Option("Random seed; the same seed gives the same numbers.", "Seed")] = 0
    offset_counts: Annotated[
        Finite | None,
        Option(
            "Zero level of the detector in counts, if known; it becomes black.",
            "Zero level (counts)",
            metavar="COUNTS",
            empty="not known",
        ),
    ] = None
    weights: Weights = "default"
    device: Device = "auto"
    precision: Precision = "auto"
