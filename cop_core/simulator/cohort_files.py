"""A simulated cohort on disk: images, the table of their settings, and the truth."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import tifffile

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.noise import Genome
from cop_core.noise.scenes import FAMILIES
from cop_core.simulator.cohort import CohortModel, SimulatedCohort, simulate_cohort
from cop_core.writing import placed

if TYPE_CHECKING:
    import os

TABLE: Final = "cohort.csv"
TRUTH: Final = "truth.json"
SIDE: Final = 256
"""Pixels along each side of an image."""
_FULL: Final = 65535
_DARK, _BRIGHT = 0.05, 0.85
_FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "camera": ("dead_leaves", "fractal", "voronoi", "grass", "tiles", "wood"),
    "multiphoton": ("cells", "vessels", "neurons", "tissue", "puncta"),
}
"""Families of scenes in the images."""


def write_cohort(
    directory: str | os.PathLike[str],
    model: CohortModel,
    n: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Path:
    """Write a simulated cohort.

    Parameters
    ----------
    directory : path
        Folder for TIFF images of 256 x 256 pixels, ``cohort.csv`` for `cop cohort`, and
        ``truth.json`` with strengths and the exact shares of every setting.
    n : int
        Images.
    progress : callable
        Called with the images written and the total.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    InputError
        The folder cannot be written to.
    """
    target, cohort = Path(directory).expanduser(), simulate_cohort(model, n, seed)
    names = [f"{model}_{number:04d}.tif" for number in range(n)]
    with placed(target) as folder:
        for number, name in enumerate(names):
            tifffile.imwrite(folder / name, _image(cohort, number, seed))
            progress(number + 1, n)
        with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(_rows(cohort, names))
        text = json.dumps(_truth(cohort, names, seed), indent=1) + "\n"
        (folder / TRUTH).write_text(text, encoding="utf-8")
    return target / TABLE


def _image(cohort: SimulatedCohort, number: int, seed: int) -> npt.NDArray[np.uint16]:
    rng = np.random.default_rng((seed, number))
    families = _FAMILIES[cohort.model]
    scene = FAMILIES[families[number % len(families)]](rng, SIDE)
    scene = _DARK + (_BRIGHT - _DARK) * (scene - scene.min()) / max(float(np.ptp(scene)), 1e-6)
    noisy = Genome.preset("microscopy").corrupt(
        scene[None], cohort.strengths[number][None].astype(np.float32), seed=seed + number
    )
    return np.asarray(np.round(np.asarray(noisy)[0] * _FULL), np.uint16)


def _rows(cohort: SimulatedCohort, names: list[str]) -> list[list[Any]]:
    columns = [values.tolist() for values in cohort.settings.values()]
    return [["file", *cohort.settings], *map(list, zip(names, *columns, strict=True))]


def _truth(cohort: SimulatedCohort, names: list[str], seed: int) -> dict[str, Any]:
    return {
        "model": cohort.model,
        "seed": seed,
        "strengths": {
            name: dict(zip(DEFAULT_COMPONENTS, row, strict=True))
            for name, row in zip(names, cohort.strengths.tolist(), strict=True)
        },
        "shares": {noise: cohort.shapley_shares(noise) for noise in DEFAULT_COMPONENTS[:-1]},
    }
