"""What more training brings: accuracy of weights of one line of training, by crops trained on.

    python benchmarks/learning_curve.py WEIGHTS.safetensors... -- FOLDER...

Weights of the same network after shorter and longer training (a run writes them at its end, and
`cop train --start` goes on from them); how many crops each has seen is on its card. The domains
are those of accuracy.py, the prior is the paper's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from record import record

from cop_core.network import Card
from cop_core.reading import load_estimator
from cop_core.training.evaluation import evaluate
from cop_core.training.train_and_save import batches_made


def crops_seen(card: Card) -> int:
    """Return how many noisy crops the weights were trained on, all stages together."""
    return sum(run["batch_size"] * batches_made(run) for run in card.training["runs"])


def main(weights: list[Path], folders: list[Path], crops: int = 256, seed: int = 0) -> None:
    measured = {}
    for path in weights:
        estimator = load_estimator(path)
        found = evaluate(folders, estimator, prior="paper", crops=crops, seed=seed).to_dict()
        overall = found["overall"]
        by_component = overall["r2_by_component"]
        measured[str(crops_seen(estimator.card))] = {
            "r2": overall["r2"],
            "rmse": overall["rmse"],
            "worst component": min(by_component, key=by_component.get),
            "worst r2": min(by_component.values()),
            "sha256": estimator.card.sha256,
        }
        print(path.name, measured, flush=True)
    domains = [folder.name for folder in folders]
    print(record("learning_curve", measured, crops=crops, seed=seed, domains=domains))


if __name__ == "__main__":
    split = sys.argv.index("--")
    main([Path(p) for p in sys.argv[1:split]], [Path(p) for p in sys.argv[split + 1 :]])
