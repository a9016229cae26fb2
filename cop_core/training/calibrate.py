"""After training: how far off a network's strengths are, learnt on scenes it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from cop_core.components import SDS_OF_90
from cop_core.ene import Draws, Genome, get_prior
from cop_core.training.batches import as_detected, as_stored
from cop_core.training.scenes import SceneBank
from cop_core.vit.doubt import Doubt
from cop_core.vit.model import NoiseViT

COVERAGE: Final = 0.9
"""Share of true strengths within `SDS_OF_90` predictive SDs."""
STRANGE: Final = 0.01
"""Share of crops like those of training that are called strange."""
_BATCH: Final = 64
_EPOCHS: Final = 60
_HELD_OUT: Final = 4  # every fourth crop fixes the scale rather than the shape
_SHRINKAGE: Final = 1e-3  # of the mean variance, so that no direction counts for nothing


def calibrate(
    network: NoiseViT,
    genome: str,
    bank: SceneBank,
    *,
    prior: str = "mixture",
    crops: int = 8192,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> NoiseViT:
    """Return the network with a `Doubt` fitted to its errors; its strengths stay the same.

    Parameters
    ----------
    network : NoiseViT
        Trained.
    genome : str
        Name of the genome that it was trained on.
    bank : SceneBank
        Scenes that it was not trained on.
    prior : str
        Prior over strengths.
    crops : int
        Labelled crops; three quarters fit the shape of the SD, one quarter its scale.
    seed : int
        Of crops, strengths, noise and first weights.
    report : callable
        Told of crops done and in all.

    Returns
    -------
    NoiseViT
        On the same device, in evaluation mode.
    """
    device = next(network.parameters()).device
    certain = NoiseViT(replace(network.config, doubt=True)).to(device)
    certain.load_state_dict(network.state_dict(), strict=False)
    certain.eval().requires_grad_(False)
    seen = []
    for part in _labelled(certain, as_detected(Genome.preset(genome)), bank, prior, crops, seed):
        seen.append(part)
        report(min(len(seen) * _BATCH, crops), crops)
    features, strengths, truth = (torch.cat(column) for column in zip(*seen, strict=True))
    doubt = certain.doubt
    assert doubt is not None
    _centre(doubt, features)
    held_out = torch.arange(len(features), device=device) % _HELD_OUT == 0
    error = (strengths - truth).abs()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _fit(doubt, features[~held_out], strengths[~held_out], error[~held_out])
    _scale(doubt, features[held_out], strengths[held_out], error[held_out])
    return certain


def _labelled(
    network: NoiseViT, genome: Genome, bank: SceneBank, prior: str, crops: int, seed: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield features, read strengths and true strengths of noisy crops, batch by batch."""
    device = next(network.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    draw = get_prior(prior)
    for start in range(0, crops, _BATCH):
        n = min(_BATCH, crops - start)
        clean = bank.crops(n, network.config.crop, generator)
        truth = draw(n, len(genome), generator)
        noisy = as_stored(genome.apply(clean, truth, Draws(generator)), generator)
        with torch.inference_mode():
            features = network.forward_features(noisy)
            strengths = network.forward_head(features).softmax(-1)
        yield features.clone(), strengths.clone(), truth


def _centre(doubt: Doubt, features: Tensor) -> None:
    """Set where the features of training lie, and how far from there they go."""
    covariance = torch.cov(features.T)
    ridge = _SHRINKAGE * covariance.diagonal().mean()
    values, vectors = torch.linalg.eigh(covariance)
    doubt.centre.copy_(features.mean(0))
    doubt.whitening.copy_(vectors / (values.clamp_min(0) + ridge).sqrt())
    doubt.limit.fill_(1.0)
    far = torch.quantile(doubt.strangeness(features), 1 - STRANGE)
    doubt.limit.copy_(far)


def _fit(doubt: Doubt, features: Tensor, strengths: Tensor, error: Tensor) -> None:
    """Fit the SD by the likelihood of a normal error, weighted so that small SDs count too."""
    doubt.spread.requires_grad_(True)
    optimizer = torch.optim.AdamW(doubt.spread.parameters(), lr=2e-3, weight_decay=0.05)
    steps = _EPOCHS * max(1, len(features) // 256)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        some = torch.randint(len(features), (256,), device=features.device)
        sd = doubt.sd(features[some], strengths[some])
        # beta-NLL (Seitzer et al. 2022) with beta 1/2
        weight = sd.detach()
        loss = (
            weight * F.gaussian_nll_loss(error[some], torch.zeros_like(sd), sd**2, reduction="none")
        ).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    doubt.spread.requires_grad_(False)


def _scale(doubt: Doubt, features: Tensor, strengths: Tensor, error: Tensor) -> None:
    """Stretch the SD of each strength until it covers what it says (split conformal)."""
    ratio = error / doubt.sd(features, strengths)
    doubt.stretch.copy_(torch.quantile(ratio, COVERAGE, dim=0) / SDS_OF_90)
