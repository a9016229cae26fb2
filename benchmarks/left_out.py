"""What does each kind of scene contribute, and what is stated for a kind missing from training?

    python benchmarks/left_out.py FOLDER...      (one folder per domain)

Small networks learn from labelled crops of all families of scenes, and of all except those of one
kind, which is then also left out of the fit of the uncertainty. Each is scored on crops of scenes
of that kind, and on the images of the domains: R2, RMSE, and the share of true strengths within the
stated 90 % interval.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from record import record
from small_networks import BATCH, CROP, STEMS, Inputs, domains, fit, joined, labelled_crops, pick
from torch import Tensor

from cop_core.components import SDS_OF_90
from cop_core.network import NoiseViT
from cop_core.network.crop_statistics import noise_statistics
from cop_core.noise import Genome
from cop_core.noise.scenes import FAMILIES, draw_family, scene_of
from cop_core.recipes import TrainRecipe
from cop_core.training.calibrate import Seen, fit_uncertainty
from cop_core.training.evaluation import accuracy
from cop_core.training.scene_bank import SceneBank

KINDS = {
    "near white": ("drawing", "sketch", "line_art", "text"),
    "clipping": ("stretched", "clipped", "saturated"),
    "fluorescence": ("dense_fluorescence", "vessels", "cells", "fibres", "neurons", "puncta"),
    "filled": ("filled",),
}
SIDE = 128
SCENES, LABELLED, FOR_UNCERTAINTY, SCORED = 3000, 15_936, 4032, 384
SETTINGS = TrainRecipe(genomes=("microscopy",), prior="acquisition", batch_size=BATCH, seed=7)
GENOME = Genome.preset("microscopy")
SMALL = STEMS["statistics"]


def banks(scenes: int, seed: int) -> dict[str, SceneBank]:
    """Return scenes by kind, each family with its frequency in training; the rest is "others"."""
    kind_of = {family: kind for kind, families in KINDS.items() for family in families}
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in (*KINDS, "others")}
    assert kind_of.keys() <= FAMILIES.keys()
    for i in range(scenes):
        rng = np.random.default_rng((seed, i))
        family = draw_family(rng)
        image = np.round(scene_of(family, rng, SIDE) * 65535).astype(np.uint16)
        found[kind_of.get(family, "others")].append(image)
    return {kind: SceneBank(np.stack(images)) for kind, images in found.items()}


def crops_by_kind(scenes: int, labelled: int, seed: int) -> dict[str, tuple[Inputs, Tensor]]:
    """Return labelled crops of each kind, in the proportion of its scenes."""
    network = NoiseViT(SMALL)
    made = {}
    for number, (kind, bank) in enumerate(banks(scenes, seed).items()):
        n = labelled * len(bank.images) // scenes
        made[kind] = labelled_crops(network, bank, SETTINGS.but(seed=seed + number), n)
    return made


def without(
    kind: str | None, crops: dict[str, tuple[Inputs, Tensor]], seed: int
) -> tuple[Inputs, Tensor]:
    """Return the crops of all kinds but one, shuffled."""
    inputs, strengths = zip(*(part for name, part in crops.items() if name != kind), strict=True)
    together, truth = joined(inputs), torch.cat(strengths)
    order = torch.randperm(len(truth), generator=torch.Generator().manual_seed(seed))
    return pick(together, order), truth[order]


@torch.inference_mode()
def seen(network: NoiseViT, inputs: Inputs, truth: Tensor) -> Seen:
    parts = []
    for rows in torch.arange(len(truth)).split(256):
        features = network.forward_features(pick(inputs, rows)).float()
        strengths = network.forward_head(features).float().softmax(-1)
        parts.append((features, strengths, (strengths - truth[rows]).abs()))
    return Seen(*(torch.cat(column).clone() for column in zip(*parts, strict=True)))


def train(
    learnt: tuple[Inputs, Tensor], unseen: tuple[Inputs, Tensor], steps: int, seed: int
) -> NoiseViT:
    """Return a small network with an uncertainty."""
    torch.manual_seed(seed)
    network = NoiseViT(SMALL)
    fit(network, *learnt, steps, seed)
    certain = NoiseViT(replace(SMALL, uncertainty=True))
    certain.load_state_dict(network.state_dict(), strict=False)
    certain.eval().requires_grad_(False)
    fit_uncertainty(certain.uncertainty, seen(certain, *unseen), seed)
    return certain


def score(network: NoiseViT, inputs: Inputs, truth: Tensor) -> dict[str, float]:
    found = seen(network, inputs, truth)
    sd = network.uncertainty.sd(found.features, found.strengths)
    known = truth.numpy().astype(np.float64)
    accurate = accuracy(known, found.strengths.numpy().astype(np.float64), GENOME.components)
    inside = (found.error <= SDS_OF_90 * sd).float().mean()
    return {"r2": accurate.r2, "rmse": accurate.rmse, "coverage": float(inside)}


def main(folders: list[Path], steps: int = 800, seeds: tuple[int, ...] = (0,)) -> None:
    learnt_from = crops_by_kind(SCENES, LABELLED, seed=0)
    unseen = crops_by_kind(SCENES // 4, FOR_UNCERTAINTY, seed=100)
    scored = {
        kind: labelled_crops(NoiseViT(SMALL), bank, SETTINGS.but(seed=300), SCORED)
        for kind, bank in banks(SCENES // 4, seed=200).items()
    }
    images = {
        domain.name: (
            noise_statistics(domain.crops, SMALL.patch),
            torch.from_numpy(domain.strengths),
        )
        for domain in domains(folders, GENOME, "wide", SCORED // 2, seed=0)
    }
    measured = {}
    for left_out in (None, *KINDS):
        for seed in seeds:
            learnt, others = (without(left_out, crops, seed) for crops in (learnt_from, unseen))
            network = train(learnt, others, steps, seed)
            found = {name: score(network, *crops) for name, crops in (scored | images).items()}
            measured[f"{left_out or 'nothing'} left out, seed {seed}"] = found
            shown = {k: (round(v["r2"], 3), round(v["coverage"], 3)) for k, v in found.items()}
            print(left_out, seed, shown, flush=True)
    print(record("left_out", measured, steps=steps, seeds=seeds, labelled=LABELLED, crop=CROP))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
