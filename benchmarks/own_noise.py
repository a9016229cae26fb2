"""How much noise do images that count as clean have themselves, and what does that cost?

    python benchmarks/own_noise.py FOLDER       (one domain of microscope images)

The truth of the benchmarks is the noise that is added. Where an image has shot noise already, that
is not the truth. Its own shot noise is estimated without the network, from the response to a mask
that is blind to planes and edges, by brightness.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from peers import laplacian
from record import record
from scipy.ndimage import uniform_filter

from cop_core.noise import Genome
from cop_core.reading import load_estimator
from cop_core.stacks.image_file import read_image
from cop_core.training.evaluation import accuracy, draw_strengths
from cop_core.training.evaluation.images import find_images, readable_crops
from cop_core.training.evaluation.scores import sampling_errors

NOISY = 0.15
"""Own strength of shot noise from which an image does not count as clean."""
BRIGHTNESS = np.geomspace(0.02, 0.8, 6)
LEAST_PIXELS = 300


def own_shot_noise(image: np.ndarray) -> float:
    """Return the strength of shot noise of an image, the median over ranges of brightness.

    Too high where structure is as fine as a pixel.
    """
    response, brightness = laplacian(image), uniform_filter(image, 5)[1:-1, 1:-1]
    found = []
    for low, high in pairwise(BRIGHTNESS):
        there = (brightness > low) & (brightness < high)
        if there.sum() >= LEAST_PIXELS:
            sd = np.median(np.abs(response[there])) / 0.6745 / 6
            found.append(2 * sd / np.sqrt(brightness[there].mean()))
    return float(np.median(found)) if found else 0.0


def main(folder: Path, crops: int = 512, seed: int = 0) -> None:
    estimator = load_estimator("default")
    genome = Genome.preset(estimator.card.genome.name)
    poisson = genome.components.index("poisson")
    found = readable_crops(folder, crops, seed)
    own = {path.name: own_shot_noise(read_image(path)) for path in find_images(folder)}
    noisy = np.array([*own.values()])[found.images] > NOISY
    itself = estimator.predict(found.crops)[:, poisson]
    measured: dict[str, object] = {
        "images": {
            name: {
                "own": strength,
                "read": float(itself[found.images == i].mean()),
                "brightness": float(found.crops[found.images == i].mean()),
            }
            for i, (name, strength) in enumerate(own.items())
        }
    }
    for prior in ("paper", "wide"):
        truth = draw_strengths(crops, genome, prior, seed)
        read = estimator.predict(np.asarray(genome.corrupt(found.crops, truth, seed=seed)))
        truth, read = truth[:, [poisson]], read[:, [poisson]]
        measured[prior] = {
            which: {
                "images": len(np.unique(found.images[kept])),
                "r2": accuracy(truth[kept], read[kept], ["poisson"]).r2,
                **sampling_errors(truth[kept], read[kept], ["poisson"], found.images[kept]),
            }
            for which, kept in {"all": noisy | True, "clean": ~noisy, "noisy": noisy}.items()
        }
        print(prior, measured[prior])
    print(measured["images"])
    print(record("own_noise", measured, estimator, crops=crops, seed=seed, noisy=NOISY))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
