"""How far apart are the network's features of different kinds of images?

    python benchmarks/domain_shift.py FOLDER...      (one folder per domain)

Every domain has its own draws of strengths from the paper's prior: the same draws for all would
pair the crops of two domains and underestimate the distance.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from record import record

from cop_core.network import packaged
from cop_core.noise import Genome
from cop_core.reading import Estimator, load_estimator
from cop_core.training.evaluation import domain_crops, domain_shift, draw_strengths, encode
from cop_core.training.evaluation.mmd import DomainShift


def shift(estimator: Estimator, folders: list[Path], crops: int, seed: int) -> DomainShift:
    genome = Genome.preset(estimator.card.genome.name)
    features = {}
    for number, folder in enumerate(folders):
        clean = domain_crops(folder, crops, seed)
        strengths = draw_strengths(len(clean), genome, "paper", seed + number)
        noisy = genome.corrupt(clean, strengths, seed=seed + number)
        features[folder.name] = encode(estimator, np.asarray(noisy))
    return domain_shift(features, seed=seed)


def main(folders: list[Path], crops: int = 512, seed: int = 0) -> None:
    estimators = [load_estimator(name) for name in packaged()]
    measured = {}
    for estimator in estimators:
        found = shift(estimator, folders, crops, seed)
        print(f"{estimator.card.name}: mean over pairs {found.mean:.4f}")
        measured[estimator.card.name] = found.to_dict()
    print(record("domain_shift", measured, *estimators, crops=crops, seed=seed, prior="paper"))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
