"""Does the prediction of a noise follow its strength, and do the others stay unchanged?

    python benchmarks/dose_response.py FOLDER... [--planes STACK...]

Clean images by domain, and planes of real stacks (normalised by their percentiles), get one noise
at increasing strength, with the rest clean. Shot noise is also added as by a detector whose pulses
vary in height: the same noise, without the lattice of whole photons.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile
from record import record

from cop_core.network import packaged
from cop_core.noise import Genome
from cop_core.reading import load_estimator
from cop_core.reading.crops import cut
from cop_core.reading.normalisation import normalise, plane_range
from cop_core.training.batches import with_analog_detectors
from cop_core.training.evaluation import DoseResponse, domain_crops, dose_response

ANALOG = with_analog_detectors(Genome.preset("microscopy"))


def plane_crops(path: Path, planes: int = 4) -> np.ndarray:
    """Return grid crops of a few planes of a stack, spread over its depth."""
    stack = tifffile.imread(path)
    chosen = np.linspace(0, len(stack) - 1, planes).round().astype(int)
    crops = []
    for index in chosen:
        low, high = plane_range(stack[index], "plane-percentile", (0, 1))
        crops.append(cut(normalise(stack[index], low, high), None, (0, int(index))))
    return np.concatenate(crops)[:16]


def show(title: str, responses: dict[str, DoseResponse]) -> None:
    print(title)
    for name, response in responses.items():
        values = " ".join(f"{v:.2f}" for v in response.own)
        print(f"  {name:13s} {values}  slope {response.slope:.2f} rises {response.rises}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--planes", nargs="*", type=Path, default=[])
    parser.add_argument("--crops", type=int, default=16)
    parser.add_argument("--estimators", nargs="*", default=list(packaged()))
    options = parser.parse_args()
    inputs = {folder.name: domain_crops(folder, options.crops, 0) for folder in options.folders}
    inputs |= {f"plane {path.stem}": plane_crops(path) for path in options.planes}
    estimators = [load_estimator(name) for name in options.estimators]
    measured: dict[str, dict[str, object]] = {}
    for estimator in estimators:
        by_input = {}
        for name, clean in inputs.items():
            responses = dose_response(clean, estimator)
            if estimator.card.genome.name == "microscopy":
                analog = dose_response(clean, estimator, genome=ANALOG, only=["poisson"])
                responses["poisson, analog"] = analog["poisson"]
            show(f"{estimator.card.name}: {name}", responses)
            by_input[name] = responses
        domains = [by_input[folder.name] for folder in options.folders]
        mean = {
            c: DoseResponse(
                domains[0][c].component,
                domains[0][c].doses,
                domains[0][c].components,
                np.mean([d[c].predicted for d in domains], axis=0),
            )
            for c in domains[0]
        }
        show(f"{estimator.card.name}: mean over clean domains", mean)
        measured[estimator.card.name] = {
            name: {c: r.to_dict() for c, r in responses.items()}
            for name, responses in {**by_input, "mean of domains": mean}.items()
        }
    print(record("dose_response", measured, *estimators, crops=options.crops, seed=0))


if __name__ == "__main__":
    main()
