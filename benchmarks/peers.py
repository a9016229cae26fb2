"""How well is the SD of Gaussian noise read, compared with classical estimators?

    python benchmarks/peers.py FOLDER...      (one folder per domain; needs scikit-image,
    PyWavelets)

Clean images get Gaussian noise alone, then mixtures of all noises under the paper's prior, in which
only the Gaussian part is estimated. SDs are shares of full scale.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from record import record
from scipy.ndimage import convolve
from skimage.restoration import estimate_sigma

from cop_core.noise import Genome
from cop_core.reading import Estimator, load_estimator
from cop_core.training.evaluation import domain_crops, draw_strengths

SIGMAS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2)


def immerkaer(crop: np.ndarray) -> float:
    """Return the SD from the mean absolute response to a mask that is blind to planes and edges.

    J. Immerkaer, "Fast noise variance estimation", Comput. Vis. Image Underst. 64, 300 (1996).
    """
    return float(np.sqrt(np.pi / 2) * np.abs(laplacian(crop)).mean() / 6)


def laplacian(image: np.ndarray) -> np.ndarray:
    """Return the response to that mask (h - 2, w - 2): six times the SD, for white noise."""
    return convolve(image, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]))[1:-1, 1:-1]


def patch_pca(crop: np.ndarray, side: int = 7) -> float:
    """Return the SD along the direction in which patches vary least, which is free of structure.

    After S. Pyatykh et al., "Image noise level estimation by principal component analysis", IEEE
    Trans. Image Process. 22, 687 (2013), without its choice of patches.
    """
    patches = sliding_window_view(crop, (side, side)).reshape(-1, side * side)
    smallest = np.linalg.eigvalsh(np.cov(patches, rowvar=False))[0]
    return float(np.sqrt(max(smallest, 0)))


def each(estimate: Callable[[np.ndarray], float], crops: np.ndarray) -> np.ndarray:
    return np.array([estimate(crop) for crop in crops.astype(np.float64)])


def network(estimator: Estimator, crops: np.ndarray) -> np.ndarray:
    return estimator.predict(crops)[:, estimator.components.index("gaussian")] / 2


def figures(truth: np.ndarray, read: np.ndarray) -> dict[str, float]:
    """Return RMSE and mean error, and the squared correlation if the truth varies."""
    found = {
        "rmse": float(np.sqrt(((read - truth) ** 2).mean())),
        "bias": float((read - truth).mean()),
    }
    if np.ptp(truth) > 0:
        found["r2 after linear fit"] = float(np.corrcoef(truth, read)[0, 1] ** 2)
    return found


def noises(clean: np.ndarray, genome: Genome, seed: int) -> dict[str, np.ndarray]:
    """Return the strengths (n, components) of each kind of noise."""
    gaussian = genome.components.index("gaussian")
    kinds = {}
    for sigma in SIGMAS:
        alone = np.zeros((len(clean), len(genome)))
        alone[:, gaussian], alone[:, -1] = 2 * sigma, 1 - 2 * sigma
        kinds[f"gaussian {sigma:g}"] = alone
    return {**kinds, "mixture": draw_strengths(len(clean), genome, "paper", seed)}


def main(folders: list[Path], crops: int = 96, seed: int = 0) -> None:
    estimator = load_estimator("default")
    genome = Genome.preset("microscopy")
    readers = {
        "default": partial(network, estimator),
        "default, with shot noise": estimator.noise_sd,
        "estimate_sigma": partial(each, estimate_sigma),
        "immerkaer": partial(each, immerkaer),
        "patch_pca": partial(each, patch_pca),
    }
    pairs: dict[str, dict[str, list[np.ndarray]]] = {}
    for number, folder in enumerate(folders):
        clean = domain_crops(folder, crops, seed)
        for kind, strengths in noises(clean, genome, seed + number).items():
            noisy = np.asarray(genome.corrupt(clean, strengths, seed=seed + number))
            truth = strengths[:, genome.components.index("gaussian")] / 2
            for name, read in readers.items():
                if kind == "mixture" and name.endswith("with shot noise"):
                    continue  # there the Gaussian part is estimated
                found = pairs.setdefault(kind, {}).setdefault(name, [])
                found.append(np.stack([truth, read(noisy)]))
    measured = {
        kind: {
            name: {
                "all": figures(*np.concatenate(by_domain, axis=1)),
                "domains": {
                    folder.name: figures(*pair)
                    for folder, pair in zip(folders, by_domain, strict=True)
                },
            }
            for name, by_domain in by_reader.items()
        }
        for kind, by_reader in pairs.items()
    }
    for kind, by_reader in measured.items():
        print(kind, *(f"{name} {found['all']}" for name, found in by_reader.items()), sep="\n  ")
    print(record("peers", measured, estimator, crops=crops, seed=seed))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
