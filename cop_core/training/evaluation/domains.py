"""Evaluation on folders of clean images, one per domain, with known noise added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from cop_core.errors import InputError
from cop_core.noise import Genome, get_prior
from cop_core.reading.estimator import Estimator
from cop_core.training.evaluation.images import readable_crops
from cop_core.training.evaluation.mmd import encode
from cop_core.training.evaluation.paper_domains import domain_folders, name_of
from cop_core.training.evaluation.scores import Values
from cop_core.training.evaluation.summary import DomainReading, Evaluation

_CHUNK: Final = 64


def draw_strengths(n: int, genome: Genome, prior: str, seed: int) -> Values:
    """Draw n strength vectors (n, components) of a prior."""
    generator = torch.Generator().manual_seed(seed)
    drawn = get_prior(prior)(n, len(genome), generator)
    return np.asarray(drawn.numpy(), dtype=np.float64)


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
    """Add known noise of the estimator's genome to clean images, and read them.

    Parameters
    ----------
    folders : sequence of Path
        As in `domain_folders`; domains are named by the last part of their folder.
    estimator : Estimator
    prior : str
        Prior from which strengths are drawn.
    crops : int
        Crops per domain.
    seed : int
        Seed of crops, strengths and noise.
    features : bool
        Whether to keep the features too.
    progress : callable
        Called with the crops done and the total.

    Raises
    ------
    InputError
        If there is no folder, two share a name, none has an image that can be read, or `crops`
        is less than 1.
    """
    if crops < 1:
        raise InputError(f"{crops} crops per domain", advice="Use 1 or more")
    domains, left_out = domain_folders(folders)
    genome = Genome.preset(estimator.card.genome.name)
    readings = []
    for number, folder in enumerate(domains):
        truth = draw_strengths(crops, genome, prior, seed + number)
        try:
            clean = readable_crops(folder, crops, seed)
        except InputError as error:
            if len(domains) == 1:
                raise
            left_out[str(folder)] = error.what
            continue
        left_out |= clean.left_out
        predicted, encoded = [], []
        for start in range(0, crops, _CHUNK):
            part = slice(start, start + _CHUNK)
            noisy = np.asarray(genome.corrupt(clean.crops[part], truth[part], seed=seed + start))
            predicted.append(estimator.predict(noisy))
            encoded.append(encode(estimator, noisy) if features else np.empty((len(noisy), 0)))
            progress(number * crops + min(start + _CHUNK, crops), crops * len(domains))
        read = np.concatenate(predicted).astype(np.float64), np.concatenate(encoded)
        readings.append(DomainReading(name_of(folder), truth, *read, clean.images))
    if not readings:
        raise InputError("; ".join(f"{path}: {why}" for path, why in left_out.items()))
    settings = {
        "prior": prior,
        "genome": genome.name,
        "seed": seed,
        "crops_per_domain": crops,
        "colour": "luminance",
        "weights": {"name": estimator.card.name, "sha256": estimator.card.sha256},
        "precision": str(estimator.precision).removeprefix("torch."),
    }
    return Evaluation(tuple(readings), estimator.components, settings, left_out)
