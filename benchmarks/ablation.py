"""What does each part of the network contribute, and how good is a perceptron on its statistics?

    python benchmarks/ablation.py FOLDER...     (one folder of clean images a domain)

Small networks, the paper's genome, crops of 96. All learn from the same labelled crops for the same
number of steps, each with two initialisations and two orders of the crops, and are scored on
domains that none was trained on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product
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
    joined,
    labelled_crops,
    parameters,
    pick,
    read,
    scene_bank,
    score,
)
from torch import Tensor, nn

from cop_core.network import NoiseViT, VitConfig
from cop_core.network.crop_statistics import noise_statistics
from cop_core.network.patch_pca import DIRECTIONS, PCA_BINS
from cop_core.network.tensor_statistics import (
    COARSE_BINS,
    FINE_BINS,
    GROUPS,
    LAGS,
    PATCH_FEATURES,
    SHAPE_FEATURES,
    SPECTRUM_BINS,
    CropStatistics,
)
from cop_core.noise import Genome
from cop_core.recipes import TrainRecipe

LABELLED = 16_000
SEEDS = 2
FULL, PATCH = STEMS["statistics"], STEMS["patch"]
GENOME = Genome.preset("paper")
RESIDUALS = 2 * (FINE_BINS + 2) + FINE_BINS  # first columns of a group's statistics
PLACES = (CROP // FULL.patch) ** 2


class ConvolutionStem(nn.Module):
    """Tokens from strided convolutions, one per block of 16 pixels."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        widths = (1, 16, 32, 64, config.width)
        layers: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 3, 2, 1), nn.GELU()]
        self.layers = nn.Sequential(*layers)
        self.cls = nn.Parameter(torch.zeros(1, 1, config.width))
        self.position = nn.Parameter(torch.randn(1, (CROP // 16) ** 2 + 1, config.width) * 0.02)

    def prepare(self, crops: Tensor) -> Tensor:
        return crops

    def forward(self, x: Tensor) -> Tensor:
        places = self.layers(x - 0.5).flatten(2).transpose(1, 2)
        return torch.cat([self.cls.expand(len(x), -1, -1), places], dim=1) + self.position


class Without(nn.Module):
    """A network with some statistics set to 0."""

    def __init__(self, network: NoiseViT, hide: Callable[[CropStatistics], CropStatistics]) -> None:
        super().__init__()
        self.network, self.hide = network, hide

    def forward(self, x: CropStatistics) -> Tensor:
        return self.network(self.hide(x))


class Perceptron(nn.Module):
    """Three layers on all statistics of a crop at once."""

    def __init__(self, scale: Tensor, middle: Tensor) -> None:
        super().__init__()
        self.scale, self.middle = scale, middle
        self.layers = nn.Sequential(
            *(nn.Linear(len(scale), 512), nn.GELU(), nn.Dropout(0.1)),
            *(nn.Linear(512, 512), nn.GELU(), nn.Dropout(0.1)),
            nn.Linear(512, len(GENOME)),
        )

    def forward(self, x: CropStatistics) -> Tensor:
        return self.layers(((flat(x) - self.middle) / self.scale).clamp(-8, 8))


def flat(x: CropStatistics) -> Tensor:
    return torch.cat([x.groups.flatten(1), x.patches.flatten(1), x.crop], dim=1)


def hidden(part: Tensor, columns: slice) -> Tensor:
    kept = part.clone()
    kept[..., columns] = 0
    return kept


def hide_groups(x: CropStatistics) -> CropStatistics:
    return x._replace(groups=torch.zeros_like(x.groups))


def hide_brightness(x: CropStatistics) -> CropStatistics:
    """Replace every group by the mean of all groups."""
    return x._replace(groups=x.groups.mean(1, keepdim=True).expand_as(x.groups))


def hide_places(x: CropStatistics) -> CropStatistics:
    return x._replace(patches=torch.zeros_like(x.patches))


def hide_whole(x: CropStatistics) -> CropStatistics:
    return x._replace(crop=torch.zeros_like(x.crop))


def hide_spectrum(x: CropStatistics) -> CropStatistics:
    return x._replace(
        crop=hidden(x.crop, slice(SHAPE_FEATURES, SHAPE_FEATURES + 6 * SPECTRUM_BINS))
    )


def hide_coarse(x: CropStatistics) -> CropStatistics:
    return x._replace(
        groups=hidden(x.groups, slice(RESIDUALS - FINE_BINS, RESIDUALS)),
        patches=hidden(x.patches, slice(COARSE_BINS + 2, 2 * COARSE_BINS + 2)),
    )


def hide_quiet(x: CropStatistics) -> CropStatistics:
    return CropStatistics(
        hidden(x.groups, slice(-PCA_BINS - 1, None)),
        hidden(x.patches, slice(-1, None)),
        hidden(x.crop, slice(-DIRECTIONS, None)),
    )


def hide_lags(x: CropStatistics) -> CropStatistics:
    lags = slice(2 * COARSE_BINS + 2, 2 * COARSE_BINS + 2 + len(LAGS))
    return x._replace(
        groups=hidden(x.groups, slice(RESIDUALS, RESIDUALS + len(LAGS))),
        patches=hidden(x.patches, lags),
    )


HIDDEN = {
    "without brightness groups": hide_groups,
    "groups not told apart": hide_brightness,
    "without places": hide_places,
    "without the whole crop": hide_whole,
    "without the spectrum": hide_spectrum,
    "without the coarse scale": hide_coarse,
    "without correlation": hide_lags,
    "without the quiet directions": hide_quiet,
}
SHAPES = {
    "statistics": FULL,
    "1 layer": replace(FULL, depth=1),
    "6 layers": replace(FULL, depth=6),
    "width 64": replace(FULL, width=64),
    "width 256": replace(FULL, width=256),
    "patch stem": PATCH,
}


def variants(statistics: CropStatistics) -> dict[str, Callable[[], nn.Module]]:
    found: dict[str, Callable[[], nn.Module]] = {
        name: lambda config=config: NoiseViT(config) for name, config in SHAPES.items()
    }
    found["convolution stem"] = with_convolution
    for name, hide in HIDDEN.items():
        found[name] = lambda hide=hide: Without(NoiseViT(FULL), hide)
    some = flat(pick(statistics, torch.arange(min(2000, len(statistics.crop)))))
    found["perceptron"] = lambda: Perceptron(some.std(0) + 1e-3, some.mean(0))
    return found


def with_convolution() -> NoiseViT:
    network = NoiseViT(PATCH)
    network.stem = ConvolutionStem(PATCH)
    return network


def statistics_of(crops: Tensor) -> CropStatistics:
    return noise_statistics(crops, FULL.patch)


def main(folders: list[Path], steps: int = 800, crops: int = 256) -> None:
    settings = TrainRecipe(genomes=("paper",), batch_size=BATCH, seed=5)
    pixels, strengths = labelled_crops(NoiseViT(PATCH), scene_bank(), settings, LABELLED)
    statistics = joined([statistics_of(part) for part in pixels.split(BATCH)])
    sets = domains(folders, GENOME, "paper", crops, seed=0)
    seen = [statistics_of(domain.crops) for domain in sets]
    measured = {}
    for seed, (name, make) in product(range(SEEDS), variants(statistics).items()):
        torch.manual_seed(seed)
        network = make()
        of_pixels = name in ("patch stem", "convolution stem")
        inputs: Inputs = pixels if of_pixels else statistics
        prepared: list[Inputs] = [d.crops for d in sets] if of_pixels else list(seen)
        fit(network, inputs, strengths, steps, seed)
        begun = time.perf_counter()
        read(network, pick(inputs, torch.arange(512)), 512)
        measured[f"{name}, seed {seed}"] = found = {
            **score(network, sets, prepared, GENOME),
            "parameters": parameters(network),
            "crops a second after the statistics": 512 / (time.perf_counter() - begun),
        }
        print(f"{name}, seed {seed}: R2 {found['r2']:.3f}", flush=True)
    print(
        record(
            "ablation",
            measured,
            crop=CROP,
            labelled_crops=len(strengths),
            steps=steps,
            batch=BATCH,
            prior={"training": settings.prior, "test": "paper"},
            crops_a_domain=crops,
            domains=[folder.name for folder in folders],
            tokens={"groups": GROUPS, "places": PLACES, "features of a place": PATCH_FEATURES},
            seeds=SEEDS,
            precision="bfloat16" if HAS_BFLOAT16 else "float32",
        )
    )


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
