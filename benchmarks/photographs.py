"""Would photographs among the training scenes help?

    python benchmarks/photographs.py PHOTOGRAPHS LEFT_OUT FOLDER...

Small networks learn from equally many labelled crops: of procedural scenes only, half of
photographs, or only of photographs. PHOTOGRAPHS is searched with its subfolders; LEFT_OUT is a text
file of names (no suffix) that are also among the test images. Scored on FOLDER..., one folder per
domain.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from record import record
from skimage.transform import resize
from small_networks import BATCH, CROP, STEMS, domains, fit, labelled_crops, scene_bank, score

from cop_core.network import NoiseViT
from cop_core.network.crop_statistics import noise_statistics
from cop_core.noise import Genome
from cop_core.recipes import TrainRecipe
from cop_core.stacks.image_file import read_image
from cop_core.training.evaluation import find_images
from cop_core.training.scene_bank import SceneBank

LABELLED = 8_000
SIDE, SHRUNK = 320, 200
"""Windows are averaged down by 1.6 to reduce the photographs' own noise and JPEG blocks."""
SEEDS = (0, 1)
GENOME = Genome.preset("paper")
SMALL = STEMS["statistics"]


def photographs(folder: Path, left_out: set[str]) -> SceneBank:
    """Return both ends of every photograph, averaged down."""
    windows = []
    for path in (p for p in find_images(folder) if p.stem not in left_out):
        grey = read_image(path)
        for window in (grey[:SIDE, :SIDE], grey[-SIDE:, -SIDE:]):  # one side has 321, one 481
            small = resize(window, (SHRUNK, SHRUNK), anti_aliasing=True)
            windows.append(np.round(small.clip(0, 1) * 65535).astype(np.uint16))
    return SceneBank(np.stack(windows))


def main(
    folder: Path,
    left_out: Path,
    folders: list[Path],
    steps: int = 150,
    crops: int = 256,
) -> None:
    scenes = scene_bank()
    pictures = photographs(folder, set(left_out.read_text().split()))
    settings = TrainRecipe(genomes=("paper",), batch_size=BATCH, seed=7)
    of_pixels = NoiseViT(STEMS["patch"])
    of_scenes, strengths = labelled_crops(of_pixels, scenes, settings, LABELLED)
    of_photographs, _ = labelled_crops(of_pixels, pictures, settings, LABELLED)  # the same noises
    half = of_scenes.clone()
    half[1::2] = of_photographs[1::2]
    learnt_from = {
        "scenes": of_scenes,
        "half photographs": half,
        "photographs": of_photographs,
    }
    sets = domains(folders, GENOME, "paper", crops, seed=0)
    prepared = [noise_statistics(domain.crops, SMALL.patch) for domain in sets]
    measured = {}
    for name, pixels in learnt_from.items():
        inputs = noise_statistics(pixels, SMALL.patch)
        for seed in SEEDS:
            torch.manual_seed(seed)
            network = NoiseViT(SMALL)
            fit(network, inputs, strengths, steps, seed)
            found = score(network, sets, prepared, GENOME)
            measured[f"{name}, seed {seed}"] = found
            print(f"{name}, seed {seed}: R2 {found['r2']:.3f} RMSE {found['rmse']:.4f}", flush=True)
    print(
        record(
            "photographs",
            measured,
            crop=CROP,
            labelled_crops=len(strengths),
            steps=steps,
            batch=BATCH,
            photographs=len(pictures.images) // 2,
            prior={"training": settings.prior, "test": "paper"},
            crops_a_domain=crops,
            domains=[folder.name for folder in folders],
        )
    )


if __name__ == "__main__":
    folder, left_out, *folders = (Path(argument) for argument in sys.argv[1:])
    main(folder, left_out, folders)
