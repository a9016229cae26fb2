"""Draw docs/images/scenes.png: a row of scenes of each family, then scenes as in training.

python benchmarks/scene_sheet.py
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from record import IMAGES, record

from cop_core.noise.scenes import FAMILIES, random_scene

COLUMNS = 8


def main() -> None:
    rows = {**FAMILIES, "random_scene": random_scene}
    figure = Figure(figsize=(COLUMNS + 1.6, len(rows)), dpi=46)
    axes = figure.subplots(len(rows), COLUMNS)
    figure.subplots_adjust(0.17, 0.002, 0.998, 0.998, 0.03, 0.03)
    for line, (name, draw) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        for seed, axis in enumerate(line):
            scene = draw(np.random.default_rng(seed), 192)
            axis.imshow(scene, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
    figure.savefig(IMAGES / "scenes.png")
    print(record("scene_sheet", {"families": list(FAMILIES)}))


if __name__ == "__main__":
    main()
