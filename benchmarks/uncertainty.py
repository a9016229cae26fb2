"""Does the stated uncertainty cover the errors, and is strange input detected?

    python benchmarks/uncertainty.py FOLDER...      (one folder per domain)

Coverage of the stated 90 % interval on clean images with known noise, by domain and strength, for
both priors; the share of these crops flagged as strange (false alarms); and the share flagged, and
the mean uncertainty, for input that no microscope gives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from record import record
from scipy.stats import spearmanr

from cop_core.components import SDS_OF_90
from cop_core.network import packaged
from cop_core.noise import Genome
from cop_core.reading import Estimator, load_estimator
from cop_core.training.evaluation import domain_crops, draw_strengths

SIDE = 192


Odd = Callable[[np.random.Generator, tuple[int, int, int]], np.ndarray]

ODD: dict[str, Odd] = {
    "uniform noise": lambda rng, shape: rng.random(shape),
    "white noise around grey": lambda rng, shape: 0.5 + 0.2 * rng.standard_normal(shape),
    "constant": lambda rng, shape: rng.random((shape[0], 1, 1)) * np.ones(shape),
    "saturated": lambda rng, shape: 1.2 + 0.05 * rng.standard_normal(shape),
    "black with a few bright pixels": lambda rng, shape: rng.random(shape) > 0.9995,
    "two interleaved pictures": lambda rng, shape: np.where(
        np.arange(shape[1])[:, None] % 2, rng.random((shape[0], 1, shape[2])), 0.5
    ),
    "chessboard of single pixels": lambda rng, shape: (
        rng.random((shape[0], 1, 1)) * (np.indices(shape[1:]).sum(0) % 2)
    ),
    "lines by row": lambda rng, shape: rng.random((*shape[:2], 1)) * np.ones(shape),
}
"""Input unlike any clean scene with the noise of a genome."""


def coverage(estimator: Estimator, folders: list[Path], prior: str, crops: int, seed: int) -> dict:
    """Return coverage, mean uncertainty and share of strange crops by domain."""
    genome = Genome.preset(estimator.card.genome.name)
    found = {}
    for number, folder in enumerate(folders):
        clean = domain_crops(folder, crops, seed)
        truth = draw_strengths(len(clean), genome, prior, seed + number)
        read = estimator.read(np.asarray(genome.corrupt(clean, truth, seed=seed)))
        inside = np.abs(read.strengths - truth) <= SDS_OF_90 * read.uncertainty
        found[folder.name] = {
            "coverage": float(inside.mean()),
            "coverage by component": dict(
                zip(genome.components, inside.mean(0).round(4).tolist(), strict=True)
            ),
            "mean uncertainty": float(read.uncertainty.mean()),
            "rmse": float(np.sqrt(((read.strengths - truth) ** 2).mean())),
            "rank correlation of uncertainty and error": float(
                spearmanr(read.uncertainty, np.abs(read.strengths - truth), axis=None).statistic
            ),
            "called strange": float((read.strangeness > 1).mean()),
        }
    return found


def main(folders: list[Path], crops: int = 256, seed: int = 0) -> None:
    measured = {}
    estimators = [load_estimator(name) for name in packaged()]
    for estimator in estimators:
        for prior in ("paper", "wide"):
            found = coverage(estimator, folders, prior, crops, seed)
            measured[f"{estimator.card.name} {prior}"] = found
            print(
                estimator.card.name, prior, {k: round(v["coverage"], 3) for k, v in found.items()}
            )
            print("  strange", {k: round(v["called strange"], 3) for k, v in found.items()})
        odd = {}
        for kind, make in ODD.items():
            crops_of_kind = make(np.random.default_rng(seed), (16, SIDE, SIDE))
            read = estimator.read(np.clip(crops_of_kind, 0, 1).astype(np.float32))
            odd[kind] = {
                "called strange": float((read.strangeness > 1).mean()),
                "mean uncertainty": float(read.uncertainty.mean()),
            }
        measured[f"{estimator.card.name} odd input"] = odd
        print(estimator.card.name, odd)
    print(record("uncertainty", measured, *estimators, crops=crops, seed=seed, within=SDS_OF_90))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
