"""How far apart do the network's features of different kinds of pictures lie?

    python benchmarks/domain_shift.py FOLDER...      (one folder a domain)

Every domain gets strengths of its own, drawn from the paper's prior: the same ones for all would
pair the crops of two domains and make the distance look smaller than it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from record import record

from cop_core.ene import Genome
from cop_core.estimation import load_estimator
from cop_core.evaluation import domain_crops, domain_shift, draw_strengths, encode


def main(folders: list[Path], crops: int = 128, seed: int = 0) -> None:
    estimator = load_estimator("default")
    genome = Genome.preset(estimator.card.genome["name"])
    features = {}
    for number, folder in enumerate(folders):
        clean = domain_crops(folder, crops, seed)
        strengths = draw_strengths(len(clean), genome, "paper", seed + number)
        noisy = genome.corrupt(clean, strengths, seed=seed + number)
        features[folder.name] = encode(estimator, np.asarray(noisy))
    shift = domain_shift(features, seed=seed)
    for names, found in shift.pairs.items():
        print(f"{' - '.join(names):52s} {found.squared_mmd:.4f} p {found.p_value:.3f}")
    print(f"mean over pairs {shift.mean:.4f}")
    print(record("domain_shift", shift.to_dict(), estimator, crops=crops, seed=seed, prior="paper"))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
