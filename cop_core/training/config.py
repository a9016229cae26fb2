"""What a training run is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from cop_core.errors import InputError
from cop_core.network import VitConfig
from cop_core.noise import Genome, get_prior

Stage = Literal["contrastive", "head", "finetune"]
Negatives = Literal["same-image", "authors"]
STAGES: tuple[Stage, ...] = ("contrastive", "head", "finetune")


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run; together with the seed they reproduce it.

    Attributes
    ----------
    genomes : tuple of str
        Genomes to learn. With several, batches take turns, the encoder is shared and each has
        its own head.
    network : str
        Name of a network configuration.
    prior : str
        Prior over strengths.
    contrastive_steps, head_steps, finetune_steps : int
        Optimiser steps of the stages, in this order; 0 leaves a stage out.
    batch_size : int
        Crops a step (contrastive: triples a step are a third of it).
    uses : int
        Steps that learn from each batch: where the noise is made on the same cores, a batch
        costs more than a step.
    first_batch : int
        Number of the first batch of each stage: those before are of the runs whose weights this
        one goes on from, since from the same seed come the same crops.
    learning_rate, weight_decay : float
        Of Muon (matrices of the layers) and AdamW (all else).
    warmup_steps : int
        Linear warm-up at the start of every stage.
    decay_share : float
        Last share of every stage in which the rate falls linearly to 0; constant before.
    temperature : float
        Of InfoNCE.
    negatives : {"same-image", "authors"}
        Whether the same image under other noise is kept as a negative (the paper's text) or
        masked out (the authors' code).
    alignment : float
        Weight in fine-tuning of how far apart features of the same noise on two images lie
        (joint training); 0 leaves it out.
    ema : float
        Decay of the running mean of weights that is evaluated and shipped.
    scenes, scene_size : int
        Number and side of the rendered clean scenes.
    doubt_crops : int
        Crops of unseen scenes from which the uncertainty is learnt after all stages; 0 leaves
        it out.
    seed : int
        Seed of scenes, strengths, noise and initial weights.
    """

    genomes: tuple[str, ...] = ("microscopy",)
    network: str = "default"
    prior: str = "mixture"
    contrastive_steps: int = 500
    head_steps: int = 200
    finetune_steps: int = 5000
    batch_size: int = 96
    uses: int = 1
    first_batch: int = 0
    learning_rate: float = 6e-4
    weight_decay: float = 0.05
    warmup_steps: int = 100
    decay_share: float = 0.25
    temperature: float = 0.1
    negatives: Negatives = "same-image"
    alignment: float = 0.0
    ema: float = 0.999
    scenes: int = 6000
    scene_size: int = 256
    doubt_crops: int = 8192
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.genomes:
            Genome.preset(name)
        get_prior(self.prior)
        VitConfig.preset(self.network)
        if not self.genomes or min(self.batch_size, self.scenes) < 3 or self.uses < 1:
            raise InputError("a run needs a genome, 3 crops a batch, a use of it and 3 scenes")

    def steps(self, stage: Stage) -> int:
        """Return the number of optimiser steps of a stage."""
        return {
            "contrastive": self.contrastive_steps,
            "head": self.head_steps,
            "finetune": self.finetune_steps,
        }[stage]

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON types."""
        return asdict(self)
