"""Recipes of a training run, and of an evaluation of weights."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from cop_core.recipes.base import Option, Plain, Recipe
from cop_core.recipes.reading import Device, Weights
from cop_core.recipes.values import (
    MOST,
    Count,
    Index,
    NotNegative,
    PathText,
    Positive,
    Seed,
    Share,
    whole,
)

Stage = Literal["contrastive", "head", "finetune"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
Negatives = Literal["same-image", "authors"]
AtLeastThree = Annotated[int, Field(ge=3, le=MOST), whole(3)]
Prior = Annotated[
    str,
    Option(
        "Prior of the strengths: paper, wide, nearly_clean, alone, pair, faint, mixture, stacks, "
        "doses, detector, acquisition, calibration, benchmark.",
        "Prior",
    ),
]


class TrainRecipe(Recipe):
    """A training run; together with the seed its fields reproduce it.

    Attributes
    ----------
    genomes : tuple of str
        If several, batches alternate, the encoder is shared and each genome has its own head.
    first_batch : int
        Number of the first batch of each stage. Earlier batches were used by the runs from whose
        weights this one continues, since the same seed gives the same crops.
    learning_rate, weight_decay : float
        For Muon (matrices of the layers) and AdamW (everything else).
    temperature : float
        Of InfoNCE.
    negatives : {"same-image", "authors"}
        The paper's text keeps the same image with other noise as a negative; the authors' code
        masks it out.
    ema : float
        Decay of the running mean of weights that is evaluated and shipped.
    """

    kind: Literal["training"] = "training"
    genomes: Annotated[
        tuple[str, ...],
        Field(min_length=1),
        Option(
            "Genome to learn: microscopy, paper, cmos or pmt; repeat it for a shared encoder.",
            "Genomes",
            metavar="GENOME",
            flags=("--genome",),
        ),
    ] = ("microscopy",)
    network: Annotated[str, Option("default or paper (ViT-B/16).", "Network")] = "default"
    prior: Prior = "mixture"
    contrastive_steps: Annotated[Index, Option("Steps of the contrastive stage; 0 for none.")] = 150
    head_steps: Annotated[Index, Option("Steps of the head alone; 0 for none.")] = 60
    finetune_steps: Annotated[Index, Option("Steps of the whole network; 0 for none.")] = 3000
    batch_size: Annotated[
        AtLeastThree, Option("Crops per step (contrastive: a third as many triples).")
    ] = 96
    uses: Annotated[
        Count,
        Option("Steps per batch; use more if noise is generated on the cores that train."),
    ] = 1
    first_batch: Index = 0
    learning_rate: Annotated[NotNegative, Option("Highest learning rate.")] = 1e-3
    weight_decay: Annotated[NotNegative, Option("Weight decay.")] = 0.05
    warmup_steps: Annotated[
        Index, Option("First steps of each stage, in which the learning rate rises.")
    ] = 100
    decay_share: Annotated[
        Share, Option("Final fraction of each stage, in which the learning rate falls to 0.")
    ] = 0.25
    temperature: Annotated[Positive, Option("Temperature of the contrastive stage.")] = 0.1
    negatives: Annotated[
        Negatives,
        Option("Keep the same image with other noise as a negative, or mask it."),
    ] = "same-image"
    alignment: Annotated[
        NotNegative,
        Option(
            "Weight, in fine-tuning, of the distance between features of the same noise on two "
            "images."
        ),
    ] = 0.0
    ema: Annotated[
        Share, Option("Decay of the running mean of the weights; this mean is saved.")
    ] = 0.999
    scenes: Annotated[AtLeastThree, Option("Number of clean scenes to render.")] = 6000
    scene_size: Annotated[Count, Option("Side length of a scene, in pixels.")] = 256
    uncertainty_crops: Annotated[
        Index,
        Option(
            "Crops of unseen scenes from which to learn the uncertainty at the end; 0 for none."
        ),
    ] = 8192
    seed: Annotated[
        Seed, Option("Random seed for scenes, strengths, noise and initial weights.")
    ] = 0
    start: Annotated[
        PathText | None,
        Option(
            "Weights to start from: a name or a .safetensors file.",
            metavar="WEIGHTS",
            words={"default": "microscopy noise", "paper-small": "the paper's noise"},
            path=True,
        ),
    ] = None
    device: Device = "auto"

    def steps(self, stage: Stage) -> int:
        """Return the number of optimiser steps of a stage."""
        return int(getattr(self, f"{stage}_steps"))

    def settings(self) -> Plain:
        """Return the settings that identify a run, in JSON types: all except where it runs."""
        return self.model_dump(mode="json", exclude={"kind", "start", "device"})


class EvaluateRecipe(Recipe):
    """Accuracy on clean images with known noise added.

    Attributes
    ----------
    folders : tuple of str
        Of clean images, one per domain.
    features : bool
        Whether to keep the features from which strengths are computed, for figures.
    """

    kind: Literal["evaluation"] = "evaluation"
    folders: Annotated[tuple[PathText, ...], Field(min_length=1)]
    weights: Weights = "default"
    prior: Prior = "paper"
    crops: Annotated[int, Field(ge=8, le=MOST), whole(8), Option("Crops per domain.", "Crops")] = (
        256
    )
    seed: Annotated[Seed, Option("Random seed for crops, strengths and noise.", "Seed")] = 0
    device: Device = "auto"
    features: bool = False
