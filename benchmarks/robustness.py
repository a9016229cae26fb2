"""Is accuracy kept on images with altered tone, dark, blurred, compressed or stored in few bits?

    python benchmarks/robustness.py FOLDER...      (one folder per domain)

Each change is made to the clean image before the noise, as by optics, exposure or an earlier
compression; the storage is changed after the noise. `default` under the paper's prior, with the
same crops, strengths and noise for every change.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from record import record
from scipy.ndimage import gaussian_filter

from cop_core.noise import Genome
from cop_core.reading import load_estimator
from cop_core.training.evaluation import accuracy, domain_crops, draw_strengths

Change = Callable[[np.ndarray], np.ndarray]


def jpeg(quality: int) -> Change:
    """Return a function that compresses every crop (n, h, w) in [0, 1] and reads it back."""

    def once(crop: np.ndarray) -> np.ndarray:
        held = io.BytesIO()
        Image.fromarray(np.round(255 * crop).astype(np.uint8)).save(held, "JPEG", quality=quality)
        return np.asarray(Image.open(held), dtype=np.float32) / 255

    return lambda crops: np.stack([once(crop) for crop in crops])


def stored(bits: int) -> Change:
    """Return a function that rounds to a number of bits of full scale."""
    top = 2**bits - 1
    return lambda crops: np.round(crops * top) / top


def as_it_is(crops: np.ndarray) -> np.ndarray:
    return crops


BEFORE: dict[str, Change] = {
    "as it is": as_it_is,
    "gamma 0.5": lambda c: c**0.5,
    "gamma 2": lambda c: c**2,
    "a third of the contrast": lambda c: 0.33 + c / 3,
    "a fifth of the brightness": lambda c: c / 5,
    "blurred, SD 1 pixel": lambda c: gaussian_filter(c, (0, 1, 1)),
    "blurred, SD 2 pixels": lambda c: gaussian_filter(c, (0, 2, 2)),
    "JPEG, quality 75": jpeg(75),
    "JPEG, quality 30": jpeg(30),
}
AFTER: dict[str, Change] = {
    "stored in 16 bits": stored(16),
    "stored in 12 bits": stored(12),
    "stored in 10 bits": stored(10),
    "stored in 8 bits": stored(8),
}


def main(folders: list[Path], crops: int = 64, seed: int = 0) -> None:
    estimator = load_estimator("default")
    genome = Genome.preset(estimator.card.genome.name)
    clean = np.concatenate([domain_crops(folder, crops, seed) for folder in folders])
    truth = draw_strengths(len(clean), genome, "paper", seed)
    changes = [(name, change, as_it_is) for name, change in BEFORE.items()]
    changes += [(name, as_it_is, change) for name, change in AFTER.items()]
    measured = {}
    for name, before, after in changes:
        changed = np.clip(before(clean), 0, 1).astype(np.float32)
        noisy = after(np.asarray(genome.corrupt(changed, truth, seed=seed))).astype(np.float32)
        found = accuracy(truth, estimator.predict(noisy), genome.components)
        measured[name] = found.to_dict()
        print(f"{name:28s} R2 {found.r2:.3f} RMSE {found.rmse:.4f}")
    print(record("robustness", measured, estimator, crops=crops, seed=seed, prior="paper"))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
