"""The contact sheet of all families."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cop_core.noise.scenes._registry import FAMILIES
from cop_core.noise.scenes._tone import colour_scene, random_scene, render

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.noise.scenes._fields import Image


def _rows(seed: int, columns: int) -> dict[str, list[Image]]:
    """Render the scenes of each row: every family, then retoned and coloured scenes."""
    seeds = range(seed, seed + columns)
    rows = {name: [render(name, each, 192) for each in seeds] for name in FAMILIES}
    rows["random_scene"] = [random_scene(np.random.default_rng(each), 192) for each in seeds]
    rows["colour_scene"] = [colour_scene(np.random.default_rng(each), 192) for each in seeds]
    return rows


def contact_sheet(path: str | Path, seed: int = 0, columns: int = 8) -> None:
    """Write a PNG with a labelled row of scenes per family.

    Parameters
    ----------
    path : str or Path
        The file to write.
    seed : int, default 0
        The seed of the first column.
    columns : int, default 8
        How many scenes of each family to show.
    """
    from matplotlib.figure import Figure

    rows = _rows(seed, columns)
    figure = Figure(figsize=(columns + 1.1, len(rows)), dpi=46)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    figure.subplots_adjust(0.12, 0.002, 0.998, 0.998, 0.03, 0.03)
    for line, (name, scenes) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        for axis, scene in zip(line, scenes, strict=True):
            axis.imshow(scene, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
    figure.savefig(path)
