"""How accurate are the shipped weights on clean images of domains outside their training?

    python benchmarks/accuracy.py FOLDER...      (one folder per domain)

Every shipped set of weights, each on its own genome, under the paper's and the wide prior.
"""

from __future__ import annotations

import sys
from pathlib import Path

from record import record

from cop_core.network import packaged
from cop_core.reading import load_estimator
from cop_core.training.evaluation import evaluate


def main(folders: list[Path], crops: int = 512, seed: int = 0) -> None:
    measured = {}
    estimators = [load_estimator(name) for name in packaged()]
    for estimator in estimators:
        for prior in ("paper", "wide"):
            found = evaluate(folders, estimator, prior=prior, crops=crops, seed=seed).to_dict()
            measured[f"{estimator.card.name} {prior}"] = found
            overall = found["overall"]
            print(estimator.card.name, prior, f"R2 {overall['r2']:.3f} RMSE {overall['rmse']:.4f}")
    print(record("accuracy", measured, *estimators, crops=crops, seed=seed))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
