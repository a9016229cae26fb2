"""Small networks that a CPU trains in minutes: fitting and scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from cop_core.network import NoiseViT, VitConfig
from cop_core.network.tensor_statistics import CropStatistics
from cop_core.noise import Genome
from cop_core.reading.estimator import multiplies_bfloat16
from cop_core.recipes import TrainRecipe
from cop_core.training.batches import BatchMaker
from cop_core.training.evaluation import accuracy, domain_crops, draw_strengths
from cop_core.training.optimization import strength_loss
from cop_core.training.scene_bank import SceneBank

CROP = 96
BATCH = 96
SCENES = 2000
RATE = 1e-3
STEMS = {
    "statistics": VitConfig(crop=CROP, depth=3, width=128, heads=4),
    "patch": VitConfig(stem="patch", patch=16, crop=CROP, depth=3, width=128, heads=4),
}
Inputs = Tensor | CropStatistics
HAS_BFLOAT16 = multiplies_bfloat16(torch.device("cpu"))


@dataclass(frozen=True)
class Domain:
    """Noisy crops of one domain, (n, 1, 96, 96), and their true strengths."""

    name: str
    crops: Tensor
    strengths: np.ndarray


def domains(folders: Sequence[Path], genome: Genome, prior: str, n: int, seed: int) -> list[Domain]:
    found = []
    for number, folder in enumerate(folders):
        clean = domain_crops(folder, n, seed)
        strengths = draw_strengths(n, genome, prior, seed + number)
        noisy = np.asarray(genome.corrupt(clean, strengths, seed=seed + number))
        centre = (noisy.shape[1] - CROP) // 2
        window = noisy[:, None, centre : centre + CROP, centre : centre + CROP]
        found.append(Domain(folder.name, torch.from_numpy(window.copy()), strengths))
    return found


def scene_bank() -> SceneBank:
    """Return scenes in memory, from which to cut crops."""
    with TemporaryDirectory() as folder:
        drawn = SceneBank.open(Path(folder) / "scenes.npy", scenes=SCENES, size=256, seed=0)
        return SceneBank(np.array(drawn.images))


def pick(inputs: Inputs, which: Tensor) -> Inputs:
    """Return some rows of crops, or of statistics of crops."""
    if isinstance(inputs, Tensor):
        return inputs[which]
    return CropStatistics(*(part[which] for part in inputs))


def joined(parts: Sequence[Inputs]) -> Inputs:
    if isinstance(parts[0], Tensor):
        return torch.cat(list(parts))
    return CropStatistics(*(torch.cat(column) for column in zip(*parts, strict=True)))


def labelled_crops(
    network: NoiseViT, bank: SceneBank, settings: TrainRecipe, n: int
) -> tuple[Inputs, Tensor]:
    """Return at least n noisy crops, prepared for the network, and their strengths.

    They are drawn as in training; a smaller number is the start of a larger one.
    """
    maker = BatchMaker(settings, bank, network, torch.device("cpu"))
    batches = list(maker.ahead("finetune", 0, -(-n // settings.batch_size)))
    return joined([b.crops for b in batches]), torch.cat([b.strengths for b in batches])


def fit(network: nn.Module, inputs: Inputs, strengths: Tensor, steps: int, seed: int) -> None:
    """Train on labelled crops in repeated epochs; the rate decays to 0."""
    generator = torch.Generator().manual_seed(seed)
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.05, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=0.1
    )
    network.train()
    for _ in range(steps):
        some = torch.randint(len(strengths), (BATCH,), generator=generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BFLOAT16):
            logits = network(pick(inputs, some))
        loss = strength_loss(logits, strengths[some])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
    network.eval()


@torch.inference_mode()
def read(network: nn.Module, inputs: Inputs, n: int) -> np.ndarray:
    """Return strengths (n, components)."""
    rows = torch.arange(n).split(256)
    parts = [network(pick(inputs, some)).float().softmax(-1) for some in rows]
    return torch.cat(parts).numpy().astype(np.float64)


def score(
    network: nn.Module, sets: Sequence[Domain], prepared: Sequence[Inputs], genome: Genome
) -> dict[str, object]:
    """Return R2 and RMSE, means over domains and components, and R2 by component."""
    found = [
        accuracy(domain.strengths, read(network, inputs, len(domain.strengths)), genome.components)
        for domain, inputs in zip(sets, prepared, strict=True)
    ]
    by_component = {
        c: float(np.mean([f.r2_by_component[c] for f in found])) for c in genome.components
    }
    return {
        "r2": float(np.mean([f.r2 for f in found])),
        "rmse": float(np.mean([f.rmse for f in found])),
        "r2_by_component": by_component,
    }


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
