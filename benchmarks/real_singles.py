"""What is read from single real frames of known conditions?

    python benchmarks/real_singles.py FOLDER

FOLDER holds TIFFs (one frame, or a few planes); each is read like a stack, normalised by plane
percentiles, with crops of the full grid. The names state the conditions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile
from record import record

from cop_core.network import packaged
from cop_core.reading import load_estimator, profile


def planes(path: Path) -> np.ndarray:
    """Return the frame as a stack of one plane, or its planes."""
    pixels = tifffile.imread(path)
    return pixels.reshape(-1, *pixels.shape[-2:])


def main(folder: Path) -> None:
    measured = {}
    estimators = [load_estimator(name) for name in packaged()]
    for estimator in estimators:
        found = measured[estimator.card.name] = {}
        for path in sorted(folder.glob("*.tif")):
            read = profile(planes(path)[:4], estimator=estimator, z_step_um=1.0, name=path.stem)
            kept = [p for p in read.planes if not p.reason]
            strengths = np.mean([p.mean for p in kept], axis=0) if kept else np.array([])
            found[path.stem] = {
                "planes read": len(kept),
                "left out": [p.reason for p in read.planes if p.reason],
                "flags": sorted({flag for p in kept for flag in p.flags}),
                "strengths": dict(zip(read.components, strengths.tolist(), strict=False)),
            }
            print(estimator.card.name, path.stem, np.round(strengths, 3), found[path.stem]["flags"])
    print(record("real_singles", measured, *estimators))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
