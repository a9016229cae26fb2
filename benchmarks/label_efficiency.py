"""What is contrastive pre-training worth if there are few labelled crops?

    python benchmarks/label_efficiency.py FOLDER...     (one folder of clean images a domain)

The paper's question at a size suitable for a CPU: a small network with the paper's patch stem and
with the statistics stem, the paper's genome and prior, crops of 96. ``CoP`` is pre-trained without
labels (InfoNCE) and frozen, and a linear head learns from n labelled crops. ``scratch`` is the same
network trained on the same n labelled crops for as many steps as both stages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from record import record
from small_networks import (
    BATCH,
    CROP,
    HAS_BFLOAT16,
    STEMS,
    Inputs,
    domains,
    fit,
    labelled_crops,
    parameters,
    pick,
    scene_bank,
    score,
)
from torch import nn

from cop_core.network import NoiseViT
from cop_core.noise import Genome
from cop_core.recipes import TrainRecipe
from cop_core.training.batches import BatchMaker
from cop_core.training.optimization import info_nce
from cop_core.training.scene_bank import SceneBank

LABELS = (100, 1_000, 10_000)
TRIPLES = 64
HEAD_STEPS = 200
GENOME = Genome.preset("paper")
SETTINGS = TrainRecipe(genomes=("paper",), prior="paper", batch_size=BATCH, seed=0)
TRIPLED = SETTINGS.model_copy(update={"batch_size": 3 * TRIPLES})


def pre_train(network: NoiseViT, bank: SceneBank, steps: int) -> None:
    """Contrastive stage: attract the same noise on another image, repel other noise."""
    maker = BatchMaker(TRIPLED, bank, network, torch.device("cpu"))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
    network.train()
    for batch in maker.ahead("contrastive", 0, steps):
        with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BFLOAT16):
            features = network.forward_features(batch.crops)
        loss = info_nce(*features.chunk(3), negatives=TRIPLED.negatives)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if batch.step % 50 == 0:
            print(f"  {batch.step} of {steps}: {loss.item():.3f}", flush=True)
    network.eval()


class Standardised(nn.Module):
    """Features standardised by the labelled crops, on which a head learns faster."""

    def __init__(self, seen: torch.Tensor) -> None:
        super().__init__()
        self.mean, self.sd = seen.mean(0), seen.std(0).clamp_min(1e-6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.sd


@torch.inference_mode()
def features(network: NoiseViT, inputs: Inputs, n: int) -> torch.Tensor:
    rows = torch.arange(n).split(256)
    return torch.cat([network.forward_features(pick(inputs, some)) for some in rows]).clone()


def main(folders: list[Path], steps: int = 150, crops: int = 256) -> None:
    bank = scene_bank()
    sets = domains(folders, GENOME, "paper", crops, seed=0)
    measured, sizes = {}, {}
    for stem, shape in STEMS.items():
        torch.manual_seed(0)
        network = NoiseViT(shape)
        pre_train(network, bank, steps)
        sizes[stem] = parameters(network)
        prepared = [network.prepare(domain.crops) for domain in sets]
        inputs, strengths = labelled_crops(network, bank, SETTINGS, LABELS[-1])
        seen = features(network, inputs, len(strengths))
        seen_sets = [
            features(network, p, len(d.crops)) for p, d in zip(prepared, sets, strict=True)
        ]
        for n in LABELS:
            torch.manual_seed(0)
            head = nn.Sequential(Standardised(seen[:n]), nn.Linear(shape.width, len(GENOME)))
            fit(head, seen[:n], strengths[:n], HEAD_STEPS, seed=0)
            torch.manual_seed(0)
            scratch = NoiseViT(shape)
            few = pick(inputs, torch.arange(n))
            fit(scratch, few, strengths[:n], steps + HEAD_STEPS, seed=0)
            for way, trained, given in (
                ("CoP", head, seen_sets),
                ("scratch", scratch, prepared),
            ):
                found = score(trained, sets, given, GENOME)
                measured[f"{stem}, {way}, {n} labels"] = found
                print(f"{stem}, {way}, {n} labels: R2 {found['r2']:.3f}", flush=True)
    settings = {
        "contrastive steps": steps,
        "triples a step": TRIPLES,
        "head steps": HEAD_STEPS,
        "scratch steps": steps + HEAD_STEPS,
        "crop": CROP,
        "crops a domain": crops,
        "domains": [folder.name for folder in folders],
        "parameters": sizes,
        "seed": 0,
    }
    print(record("label_efficiency", measured, **settings))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
