"""Near-white, clipped and bright images: how well are they read, and how sure is the network?

    python benchmarks/weak_places.py FOLDER [WEIGHTS...]

FOLDER contains the domains. Their images are turned into those read worst: photographs and comics
into pencil drawings on white paper, photographs and textures stretched until up to 30 % of their
pixels clip at each end, fluorescence exposed up to six times longer. None of them was used in
training or in a fit of the uncertainty. R2, RMSE and coverage of the stated 90 % interval, by kind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from record import record
from scipy.ndimage import gaussian_filter

from cop_core.components import SDS_OF_90
from cop_core.noise import Genome
from cop_core.reading import Estimator, load_estimator
from cop_core.training.evaluation import accuracy, domain_crops, draw_strengths

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""A crop (h, w) in [0, 1] -> one of the same shape."""


def drawn(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a pencil drawing: pixels darker than their surroundings, on white (colour dodge)."""
    surroundings = gaussian_filter(crop, rng.uniform(2, 12)).clip(0.02)
    return (crop / surroundings).clip(0, 1) ** rng.uniform(0.6, 3)


def stretched(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = np.quantile(crop, [rng.uniform(0.02, 0.3), 1 - rng.uniform(0.02, 0.3)])
    return ((crop - low) / max(high - low, 0.02)).clip(0, 1)


def exposed_longer(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (crop * rng.uniform(1.5, 6)).clip(0, 1)


KINDS: dict[str, tuple[str, Change]] = {
    "drawn photographs": ("natural", drawn),
    "drawn comics": ("comics_peppercarrot", drawn),
    "stretched photographs": ("natural", stretched),
    "stretched textures": ("textures_dtd", stretched),
    "bright fluorescence": ("microscopy_gigadb_highsnr", exposed_longer),
}


def score(
    estimator: Estimator, clean: np.ndarray, genome: Genome, prior: str, seed: int
) -> dict[str, float]:
    """Return R2, RMSE, mean SD and coverage on clean crops with known noise added."""
    truth = draw_strengths(len(clean), genome, prior, seed)
    read = estimator.read(np.asarray(genome.corrupt(clean, truth, seed=seed)))
    found = accuracy(truth, read.strengths, genome.components)
    inside = np.abs(read.strengths - truth) <= SDS_OF_90 * read.uncertainty
    return {
        "r2": found.r2,
        "rmse": found.rmse,
        "uncertainty": float(read.uncertainty.mean()),
        "coverage": float(inside.mean()),
    }


def main(folder: Path, weights: list[str], crops: int = 128, seed: int = 0) -> None:
    measured = {}
    estimators = [load_estimator(name) for name in weights]
    for kind, (domain, change) in KINDS.items():
        rng = np.random.default_rng(seed)
        clean = np.stack([change(c, rng) for c in domain_crops(folder / domain, crops, seed + 1)])
        for estimator in estimators:
            genome = Genome.preset(estimator.card.genome.name)
            for prior in ("paper", "wide"):
                found = score(estimator, clean.astype(np.float32), genome, prior, seed)
                measured[f"{estimator.card.name} {prior}, {kind}"] = found
                print(estimator.card.name, prior, kind, {k: round(v, 3) for k, v in found.items()})
    print(record("weak_places", measured, *estimators, crops=crops, seed=seed))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["default", "paper-small"])
