"""Folders of clean pictures, one a domain, that are given known noise and read."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from cop_core.errors import InputError
from cop_core.noise import Genome, get_prior
from cop_core.reading.crops import cut
from cop_core.reading.estimator import Estimator
from cop_core.records.crop_grid import CROP
from cop_core.stacks.picture import ENCODED, TIFF, read_picture
from cop_core.training.evaluation.mmd import encode
from cop_core.training.evaluation.scores import (
    Accuracy,
    Values,
    accuracy,
    dominant_accuracy,
    mean_of_known,
    or_none,
)

_CHUNK: Final = 64


def find_pictures(folder: Path) -> list[Path]:
    """Return the pictures below a folder, sorted.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        below = (p for p in folder.rglob("*") if p.suffix.lower() in ENCODED + TIFF)
        found = sorted(p for p in below if p.is_file())
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", where=str(folder)) from error
    if not found:
        raise InputError(
            "no pictures", where=str(folder), advice="Name a folder with PNG, JPEG or TIFF files"
        )
    return found


def domain_crops(folder: Path, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return `count` random clean crops (count, 192, 192), spread evenly over a folder's pictures.

    A picture smaller than a crop is continued by reflection.
    """
    pictures = find_pictures(folder)
    shares = [count // len(pictures) + (i < count % len(pictures)) for i in range(len(pictures))]
    parts = [
        cut(read_picture(path), share, (seed, i), CROP)
        for i, (path, share) in enumerate(zip(pictures, shares, strict=True))
        if share
    ]
    return np.concatenate(parts)


def draw_strengths(n: int, genome: Genome, prior: str, seed: int) -> Values:
    """Draw n strength vectors (n, components) of a prior."""
    generator = torch.Generator().manual_seed(seed)
    drawn = get_prior(prior)(n, len(genome), generator)
    return np.asarray(drawn.numpy(), dtype=np.float64)


@dataclass(frozen=True)
class DomainReading:
    """Noisy crops of one domain, as an estimator read them.

    Attributes
    ----------
    name : str
    truth, predicted : ndarray of shape (n, components)
        Strengths put in and read.
    features : ndarray of shape (n, width)
        What the head reads the strengths from; (n, 0) where not asked for.
    """

    name: str
    truth: Values
    predicted: Values
    features: Values


@dataclass(frozen=True)
class Evaluation:
    """Readings of all domains, in order, and the settings that made them."""

    readings: tuple[DomainReading, ...]
    components: tuple[str, ...]
    settings: dict[str, object]

    def to_dict(self) -> dict[str, dict[str, object]]:
        """Return the accuracy by domain and over all, as JSON types.

        ``domains.<name>`` and ``overall`` have ``rmse, mae, r2, r2_by_component`` and, as shares,
        ``dominant_accuracy, threshold_accuracy``. Overall are means over domains (``*_sd`` their
        SD over domains), of the shares those over all crops; ``baseline`` always predicts the
        mean of the strengths; ``settings`` say how all this was made.
        """
        results = [accuracy(r.truth, r.predicted, self.components) for r in self.readings]
        middles = [np.broadcast_to(r.truth.mean(axis=0), r.truth.shape) for r in self.readings]
        baselines = [
            accuracy(r.truth, middle, self.components).rmse
            for r, middle in zip(self.readings, middles, strict=True)
        ]
        truth = np.concatenate([r.truth for r in self.readings])
        predicted = np.concatenate([r.predicted for r in self.readings])
        return {
            "domains": {
                r.name: result.to_dict()
                | dominant_accuracy(r.truth, r.predicted, self.components).to_dict()
                for r, result in zip(self.readings, results, strict=True)
            },
            "overall": _overall(results, self.components)
            | dominant_accuracy(truth, predicted, self.components).to_dict(),
            "baseline": {"rmse": float(np.mean(baselines)), "predicts": "mean"},
            "settings": self.settings,
        }


def _overall(results: list[Accuracy], components: Sequence[str]) -> dict[str, object]:
    r2 = [r.r2 for r in results if not math.isnan(r.r2)]
    return {
        "rmse": mean_of_known(r.rmse for r in results),
        "rmse_sd": float(np.std([r.rmse for r in results])),
        "mae": mean_of_known(r.mae for r in results),
        "r2": or_none(mean_of_known(r2)),
        "r2_sd": float(np.std(r2)) if r2 else None,
        "r2_by_component": {
            c: or_none(mean_of_known(r.r2_by_component[c] for r in results)) for c in components
        },
    }


def evaluate(
    folders: Sequence[Path],
    estimator: Estimator,
    *,
    prior: str = "paper",
    crops: int = 256,
    seed: int = 0,
    features: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Evaluation:
    """Give clean pictures known noise of the estimator's genome, and read them.

    Parameters
    ----------
    folders : sequence of Path
        One domain each; named by their last part.
    estimator : Estimator
    prior : str
        Prior that the strengths are drawn from.
    crops : int
        Crops per domain.
    seed : int
        Of crops, strengths and noise.
    features : bool
        Whether to keep the features too.
    progress : callable
        Told of crops done and in all.

    Raises
    ------
    InputError
        If there is no folder, two share a name, one holds no pictures, or `crops` is less
        than 1.
    """
    if crops < 1:
        raise InputError(f"{crops} crops a domain", advice="Give 1 or more")
    if not folders:
        raise InputError("no folders", advice="Name one or more, one a domain")
    names = [Path(os.path.abspath(folder)).name for folder in folders]  # noqa: PTH100 - no links
    if len(set(names)) != len(names):
        raise InputError("two folders have the same name", advice="Rename one of them")
    genome = Genome.preset(estimator.card.genome.name)
    readings = []
    for number, (name, folder) in enumerate(zip(names, folders, strict=True)):
        clean = domain_crops(folder, crops, seed)
        truth = draw_strengths(len(clean), genome, prior, seed + number)
        predicted = np.empty_like(truth)
        encoded = []
        for start in range(0, len(clean), _CHUNK):
            part = slice(start, start + _CHUNK)
            noisy = np.asarray(genome.corrupt(clean[part], truth[part], seed=seed + start))
            predicted[part] = estimator.predict(noisy)
            encoded.append(encode(estimator, noisy) if features else np.empty((len(noisy), 0)))
            progress(number * crops + min(start + _CHUNK, crops), crops * len(folders))
        readings.append(DomainReading(name, truth, predicted, np.concatenate(encoded)))
    settings = {
        "prior": prior,
        "genome": genome.name,
        "seed": seed,
        "crops_per_domain": crops,
        "colour": "luminance",
        "weights": {"name": estimator.card.name, "sha256": estimator.card.sha256},
        "precision": str(estimator.precision).removeprefix("torch."),
    }
    return Evaluation(tuple(readings), estimator.components, settings)
