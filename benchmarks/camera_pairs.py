"""Does the clean strength follow the quality of real camera images?

    python benchmarks/camera_pairs.py FOLDER

FOLDER holds pairs ``<name>_real.png`` (one exposure) and ``<name>_mean.png`` (mean of many), with
the ISO in the name. Correlation over pairs of the clean strength of the single exposure with its
PSNR against the mean, and of every strength with ISO; grey images, crops of the full grid.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from record import record
from scipy.stats import pearsonr, spearmanr

from cop_core.network import packaged
from cop_core.reading import Estimator, load_estimator
from cop_core.reading.crops import cut
from cop_core.stacks.image_file import read_image


def psnr(image: np.ndarray, reference: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB, full scale 1."""
    return float(-10 * np.log10(np.mean((image - reference) ** 2)))


def read_pairs(folder: Path, estimator: Estimator) -> dict[str, dict[str, float]]:
    """Return PSNR, ISO and strengths of the single exposures and of the means."""
    found = {}
    for path in sorted(folder.glob("*_real.png")):
        name = path.stem.removesuffix("_real")
        image, reference = read_image(path), read_image(folder / f"{name}_mean.png")
        single, mean = (estimator.predict(cut(p, None, (0, 0))).mean(0) for p in (image, reference))
        iso = re.search(r"iso(\d+)", name)
        found[name] = {
            "psnr db": psnr(image, reference),
            "iso": float(iso[1]) if iso else float("nan"),
            **dict(zip(estimator.components, single.tolist(), strict=True)),
            "clean of the mean": float(mean[-1]),
        }
    return found


def main(folder: Path) -> None:
    measured = {}
    estimators = [load_estimator(name) for name in packaged()]
    for estimator in estimators:
        pairs = read_pairs(folder, estimator)
        columns = {
            key: np.array([p[key] for p in pairs.values()]) for key in next(iter(pairs.values()))
        }
        clean, quality = columns["clean"], columns["psnr db"]
        measured[estimator.card.name] = {
            "pairs": pairs,
            "clean with psnr, Pearson": float(pearsonr(clean, quality).statistic),
            "clean with psnr, Spearman": float(spearmanr(clean, quality).statistic),
            "strengths with iso, Spearman": {
                c: float(spearmanr(columns[c], columns["iso"]).statistic)
                for c in estimator.components
            },
            "means read cleaner than singles": int((columns["clean of the mean"] > clean).sum()),
        }
        print(
            estimator.card.name,
            {k: v for k, v in measured[estimator.card.name].items() if k != "pairs"},
        )
        for name, pair in pairs.items():
            print("  ", name, {k: round(v, 3) for k, v in pair.items()})
    print(record("camera_pairs", measured, *estimators))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
