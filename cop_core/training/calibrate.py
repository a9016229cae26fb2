"""Calibration after training: the uncertainty of strengths, learnt on unseen scenes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import torch
from torch import Tensor

from cop_core.components import SDS_OF_90
from cop_core.network import NoiseViT
from cop_core.network.uncertainty import UncertaintyHead
from cop_core.recipes import TrainRecipe
from cop_core.training.calibration_crops import CalibrationMaker
from cop_core.training.scene_bank import SceneBank

COVERAGE: Final = 0.94
"""Share of true strengths within `SDS_OF_90` predictive SDs, on unseen scenes.

More than the stated 0.9: real images differ more from scenes than scenes do among themselves.
"""
RESOLUTION: Final = 0.004
"""Lower limit on errors: strengths are known no better, since crops are rounded to 10 bits."""
STRANGE: Final = 0.01
"""Share of crops like those in training that count as strange."""
_BATCH: Final = 64
_EPOCHS: Final = 60
_HELD_OUT: Final = 4  # one crop in four fixes the scale rather than the shape
_SHRINKAGE: Final = 1e-3  # of the mean variance: no direction has zero variance


def calibrate(
    network: NoiseViT,
    recipe: TrainRecipe,
    genome: str,
    bank: SceneBank,
    *,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> NoiseViT:
    """Return the network with an uncertainty fitted to its errors; its strengths stay the same.

    Parameters
    ----------
    network : NoiseViT
        Trained.
    recipe : TrainRecipe
        Of its training: prior, seed, and number of labelled crops (`uncertainty_crops`).
    genome : str
        Genome on which it was trained.
    bank : SceneBank
        Scenes on which it was not trained.
    report : callable
        Called with the crops done and the total.

    Returns
    -------
    NoiseViT
        On the same device, in evaluation mode.
    """
    device = next(network.parameters()).device
    certain = NoiseViT(replace(network.config, uncertainty=True)).to(device)
    certain.load_state_dict(network.state_dict(), strict=False)
    certain.eval().requires_grad_(False)
    head = certain.uncertainty
    assert head is not None
    settings = recipe.but(genomes=(genome,), batch_size=_BATCH, seed=recipe.seed + 1)
    maker = CalibrationMaker(settings, bank, certain, device)
    batches = max(_HELD_OUT, recipe.uncertainty_crops // _BATCH)
    parts = []
    for batch in maker.ahead("finetune", 0, batches):
        with torch.inference_mode():
            features = certain.forward_features(batch.crops)
            strengths = certain.forward_head(features).softmax(-1)
        parts.append((features.clone(), strengths.clone(), (strengths - batch.strengths).abs()))
        report(batch.step + 1, batches)
    seen = Seen(*(torch.cat(column) for column in zip(*parts, strict=True)))
    fit_uncertainty(head, seen, recipe.seed)
    return certain


class Seen(NamedTuple):
    """Features (n, width) of crops, their strengths as read and their errors (n, outputs)."""

    features: Tensor
    strengths: Tensor
    error: Tensor

    def part(self, rows: slice) -> Seen:
        """Return some of the crops."""
        return Seen(*(column[rows] for column in self))


def fit_uncertainty(head: UncertaintyHead, seen: Seen, seed: int) -> None:
    """Fit a head to known errors: the first quarter gives the scale of the SD, the rest its shape.

    Strange crops are those with features unlike those of the rest.
    """
    few = len(seen.error) // _HELD_OUT
    held_out, known = seen.part(slice(few)), seen.part(slice(few, None))
    fit_distance(head, known.features)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fit_sd(head, *known)
    scale_sd(head, *held_out)


def fit_distance(head: UncertaintyHead, features: Tensor) -> None:
    """Set the mean and covariance of the features in training, and the limit of their distance."""
    covariance = torch.cov(features.T)
    ridge = _SHRINKAGE * covariance.diagonal().mean()
    values, vectors = torch.linalg.eigh(covariance)
    head.centre.copy_(features.mean(0))
    head.whitening.copy_(vectors / (values.clamp_min(0) + ridge).sqrt())
    head.limit.fill_(1.0)
    far = torch.quantile(head.strangeness(features), 1 - STRANGE)
    head.limit.copy_(far)


def fit_sd(head: UncertaintyHead, features: Tensor, strengths: Tensor, error: Tensor) -> None:
    """Fit the SD: `SDS_OF_90` times the SD is the `COVERAGE` quantile of the error.

    The loss is that of the quantile [1]_, of logarithms, in which small errors count as much as
    large ones. A normal likelihood, whose tails fit no real error, covers 90 % overall but not
    where one noise hides another: there most errors are small and some very large.

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46:33 (1978).
    """
    head.spread.requires_grad_(True)
    optimizer = torch.optim.AdamW(head.spread.parameters(), lr=2e-3, weight_decay=0.05)
    steps = _EPOCHS * max(1, len(features) // 256)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        some = torch.randint(len(features), (256,), device=features.device)
        beyond = _in_units_of_sd(head, features[some], strengths[some], error[some]).log()
        loss = torch.maximum(COVERAGE * beyond, (COVERAGE - 1) * beyond).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    head.spread.requires_grad_(False)


def scale_sd(head: UncertaintyHead, features: Tensor, strengths: Tensor, error: Tensor) -> None:
    """Scale the SD of each strength until it has the stated coverage (split conformal)."""
    beyond = _in_units_of_sd(head, features, strengths, error)
    head.stretch.copy_(torch.quantile(beyond, COVERAGE, dim=0))


def _in_units_of_sd(
    head: UncertaintyHead, features: Tensor, strengths: Tensor, error: Tensor
) -> Tensor:
    """Return errors, at least `RESOLUTION`, in units of the limit that the SD gives for 90 %."""
    return error.clamp_min(RESOLUTION) / (SDS_OF_90 * head.sd(features, strengths))
