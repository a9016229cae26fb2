"""Accuracy on clean pictures that were given known noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from cop_core.errors import InputError
from cop_core.noise import Genome, get_prior
from cop_core.reading.estimator import Estimator
from cop_core.training.evaluation.dominant import dominant_accuracy
from cop_core.training.evaluation.pictures import domain_crops
from cop_core.training.evaluation.shift import encode

Values = npt.NDArray[np.float64]
_CHUNK: Final = 64


@dataclass(frozen=True)
class Accuracy:
    """Errors of predicted strengths.

    Attributes
    ----------
    rmse : float
        Root mean squared error over crops and components.
    mae : float
        Mean absolute error over the same.
    r2_by_component : dict
        Coefficient of determination by component (1 - SSE / SST); NaN where the true strength
        never varies.
    """

    rmse: float
    mae: float
    r2_by_component: dict[str, float]

    @property
    def r2(self) -> float:
        """Mean of R2 over the components that have one."""
        return _mean(list(self.r2_by_component.values()))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON types, None for an R2 that is undefined."""
        return {
            "rmse": self.rmse,
            "mae": self.mae,
            "r2": _or_none(self.r2),
            "r2_by_component": {c: _or_none(v) for c, v in self.r2_by_component.items()},
        }


def accuracy(truth: Values, predicted: Values, components: Sequence[str]) -> Accuracy:
    """Compare true and predicted strengths, both of shape (n, components)."""
    error = predicted - truth
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    r2 = np.full(len(spread), np.nan)
    np.divide((error**2).sum(axis=0), spread, out=r2, where=spread > 0)
    return Accuracy(
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
        r2_by_component={c: 1 - float(v) for c, v in zip(components, r2, strict=True)},
    )


@dataclass(frozen=True)
class DomainReading:
    """Noisy crops of one domain, as an estimator read them.

    Attributes
    ----------
    name : str
        Of the domain.
    truth, predicted : ndarray of shape (n, components)
        Strengths put in and read.
    features : ndarray of shape (n, width)
        What the head reads the strengths from; (n, 0) where not asked for.
    """

    name: str
    truth: Values
    predicted: Values
    features: Values


def evaluate(
    folders: Sequence[Path],
    estimator: Estimator,
    *,
    prior: str = "paper",
    crops: int = 256,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Measure an estimator on folders of clean pictures, on the genome of its weights.

    Parameters
    ----------
    folders, estimator, prior, crops, seed, progress
        See `read_domains`.

    Returns
    -------
    dict
        See `summary`.

    Raises
    ------
    InputError
        As `read_domains`.
    """
    readings = read_domains(
        folders, estimator, prior=prior, crops=crops, seed=seed, progress=progress
    )
    return summary(readings, estimator, prior=prior, crops=crops, seed=seed)


def read_domains(
    folders: Sequence[Path],
    estimator: Estimator,
    *,
    prior: str = "paper",
    crops: int = 256,
    seed: int = 0,
    features: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[DomainReading]:
    """Give clean pictures known noise of the estimator's genome, and read them.

    Parameters
    ----------
    folders : sequence of Path
        One domain each; named by their last part.
    estimator : Estimator
        What is measured.
    prior : str
        Prior that the strengths are drawn from.
    crops : int
        Crops a domain.
    seed : int
        Of crops, strengths and noise.
    features : bool
        Whether to keep the features too.
    progress : callable
        Told of crops done and in all.

    Returns
    -------
    list of DomainReading
        One a folder, in order.

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
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) != len(names):
        raise InputError("two folders have the same name", advice="Rename one of them")
    genome = Genome.preset(estimator.card.genome["name"])
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
    return readings


def summary(
    readings: Sequence[DomainReading], estimator: Estimator, *, prior: str, crops: int, seed: int
) -> dict[str, Any]:
    """Return the accuracy by domain and over all, as JSON types.

    Parameters
    ----------
    readings : sequence of DomainReading
        From `read_domains`.
    estimator, prior, crops, seed
        What they were read with.

    Returns
    -------
    dict
        ``domains.<name>`` and ``overall``, each with ``rmse, mae, r2, r2_by_component`` and, as
        shares, ``dominant_accuracy, threshold_accuracy``. Overall are means over domains
        (``*_sd`` their SD over domains), of the shares those over all crops; ``baseline`` always
        predicts the prior's mean; ``settings`` say how all this was made.
    """
    components = estimator.components
    results = [accuracy(r.truth, r.predicted, components) for r in readings]
    middles = [np.broadcast_to(r.truth.mean(axis=0), r.truth.shape) for r in readings]
    baselines = [accuracy(r.truth, m, components) for r, m in zip(readings, middles, strict=True)]
    truth = np.concatenate([r.truth for r in readings])
    predicted = np.concatenate([r.predicted for r in readings])
    return {
        "domains": {
            reading.name: result.to_dict()
            | dominant_accuracy(reading.truth, reading.predicted, components).to_dict()
            for reading, result in zip(readings, results, strict=True)
        },
        "overall": _overall(results, components)
        | dominant_accuracy(truth, predicted, components).to_dict(),
        "baseline": {"rmse": float(np.mean([b.rmse for b in baselines])), "predicts": "mean"},
        "settings": {
            "prior": prior,
            "genome": estimator.card.genome["name"],
            "seed": seed,
            "crops_per_domain": crops,
            "colour": "luminance",
            "weights": {"name": estimator.card.name, "sha256": estimator.card.sha256},
            "precision": str(estimator.precision).removeprefix("torch."),
        },
    }


def draw_strengths(n: int, genome: Genome, prior: str, seed: int) -> Values:
    """Draw n strength vectors (n, components) of a prior."""
    generator = torch.Generator().manual_seed(seed)
    drawn = get_prior(prior)(n, len(genome), generator)
    return np.asarray(drawn.numpy(), dtype=np.float64)


def _overall(results: list[Accuracy], components: Sequence[str]) -> dict[str, Any]:
    r2 = [r.r2 for r in results if not math.isnan(r.r2)]
    return {
        "rmse": _mean([r.rmse for r in results]),
        "rmse_sd": float(np.std([r.rmse for r in results])),
        "mae": _mean([r.mae for r in results]),
        "r2": _or_none(_mean(r2)),
        "r2_sd": float(np.std(r2)) if r2 else None,
        "r2_by_component": {
            c: _or_none(_mean([r.r2_by_component[c] for r in results])) for c in components
        },
    }


def _mean(values: list[float]) -> float:
    """Return the mean of the values that are numbers, NaN where none is."""
    known = [v for v in values if not math.isnan(v)]
    return float(np.mean(known)) if known else math.nan


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
