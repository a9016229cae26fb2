"""What contrastive pre-training is worth where labelled crops are few.

    python benchmarks/label_efficiency.py RUN FOLDER...     (one folder of clean pictures a domain)

The paper's question at a size that a CPU answers: a small network with the paper's patch stem and
with the statistics stem, the paper's genome and prior, crops of 96. ``CoP`` is pre-trained without
labels (InfoNCE) and then frozen, a linear head learns from n labelled crops; ``scratch`` is the
same network, which learns from the same n labelled crops for as many steps as both stages.
``authors`` masks the negative that shares the image. Scenes and encoders are kept in RUN, so that
the script goes on where it was stopped.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from record import record
from safetensors.torch import load_file, save_file
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
    score,
)
from torch import nn

from cop_core.network import NoiseViT
from cop_core.noise import Genome
from cop_core.recipes import Negatives, TrainRecipe
from cop_core.training.batches import BatchMaker
from cop_core.training.optimization import info_nce
from cop_core.training.scene_bank import SceneBank

LABELS = (100, 1_000, 10_000)
TRIPLES = 64
HEAD_STEPS = 600
GENOME = Genome.preset("paper")
VARIANTS: tuple[tuple[str, Negatives], ...] = (
    ("patch", "same-image"),
    ("statistics", "same-image"),
    ("patch", "authors"),
    ("statistics", "authors"),
)


def config(negatives: Negatives = "same-image", batch: int = 3 * TRIPLES) -> TrainRecipe:
    return TrainRecipe(
        genomes=("paper",), prior="paper", batch_size=batch, negatives=negatives, seed=0
    )


def pre_train(network: NoiseViT, bank: SceneBank, settings: TrainRecipe, steps: int) -> None:
    """Contrastive stage: the same noise on another picture is near, other noise is far."""
    maker = BatchMaker(settings, bank, network, torch.device("cpu"))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
    network.train()
    for batch in maker.ahead("contrastive", 0, steps):
        with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BFLOAT16):
            features = network.forward_features(batch.crops)
        loss = info_nce(*features.chunk(3), negatives=settings.negatives)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if batch.step % 50 == 0:
            print(f"  {batch.step} of {steps}: {loss.item():.3f}", flush=True)
    network.eval()


def encoder(stem: str, negatives: Negatives, bank: SceneBank, run: Path, steps: int) -> NoiseViT:
    """Return the pre-trained network, from RUN where it is there."""
    torch.manual_seed(0)
    network = NoiseViT(STEMS[stem])
    path = run / f"{stem}-{negatives}-{steps}.safetensors"
    if path.exists():
        network.load_state_dict(load_file(path))
        return network.eval()
    pre_train(network, bank, config(negatives), steps)
    save_file(network.state_dict(), path)
    return network


class Standardised(nn.Module):
    """Features at the scale that they have in the labelled crops, which a head learns from soon."""

    def __init__(self, seen: torch.Tensor) -> None:
        super().__init__()
        self.mean, self.sd = seen.mean(0), seen.std(0).clamp_min(1e-6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.sd


@torch.inference_mode()
def features(network: NoiseViT, inputs: Inputs, n: int) -> torch.Tensor:
    rows = torch.arange(n).split(256)
    return torch.cat([network.forward_features(pick(inputs, some)) for some in rows]).clone()


def main(run: Path, folders: list[Path], steps: int = 800, crops: int = 256) -> None:
    run.mkdir(parents=True, exist_ok=True)
    bank = SceneBank.open(run / "scenes.npy", scenes=6000, size=256, seed=0)
    sets = domains(folders, GENOME, "paper", crops, seed=0)
    kept = run / f"found-{steps}.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}

    def keep(name: str, network: nn.Module, prepared: list[Inputs]) -> None:
        found[name] = score(network, sets, prepared, GENOME)
        kept.write_text(json.dumps(found))
        print(f"{name}: R2 {found[name]['r2']:.3f} RMSE {found[name]['rmse']:.4f}", flush=True)

    sizes = {}
    for stem, negatives in VARIANTS:
        network = encoder(stem, negatives, bank, run, steps)
        sizes[stem] = parameters(network)
        prepared = [network.prepare(domain.crops) for domain in sets]
        inputs, strengths = labelled_crops(network, bank, config(batch=BATCH), LABELS[-1])
        seen = features(network, inputs, len(strengths))
        seen_sets = [
            features(network, p, len(d.crops)) for p, d in zip(prepared, sets, strict=True)
        ]
        for n in LABELS:
            name = f"{stem}, CoP ({negatives}), {n} labels"
            if name not in found:
                torch.manual_seed(0)
                head = nn.Sequential(
                    Standardised(seen[:n]), nn.Linear(network.config.width, len(GENOME))
                )
                fit(head, seen[:n], strengths[:n], HEAD_STEPS, seed=0)
                keep(name, head, seen_sets)
            name = f"{stem}, scratch, {n} labels"
            if name not in found:
                torch.manual_seed(0)
                scratch = NoiseViT(STEMS[stem])
                few = pick(inputs, torch.arange(n))
                fit(scratch, few, strengths[:n], steps + HEAD_STEPS, seed=0)
                keep(name, scratch, prepared)
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
    print(record("label_efficiency", found, **settings))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
