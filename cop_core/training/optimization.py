"""Losses and optimisers of the stages of training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cop_core.network import NoiseViT
from cop_core.recipes import Negatives, TrainRecipe


def info_nce(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    temperature: float = 0.1,
    negatives: Negatives = "same-image",
) -> Tensor:
    """Return the contrastive loss over noise (arXiv 2601.17047, with its stated negatives).

    Row i contains the same noise on another image (positive) and another noise on the same image
    (negative). Each anchor's positive is contrasted with all negatives, its own included, and with
    the positives of the other rows.

    Parameters
    ----------
    anchor, positive, negative : Tensor of shape (n, d)
        Features; normalised here.
    temperature : float
        Divides the cosine similarities.
    negatives : {"same-image", "authors"}
        ``"authors"`` leaves out each row's own negative, as the authors' code does.
    """
    f, p, g = (F.normalize(v.float(), dim=-1) for v in (anchor, positive, negative))
    against = f @ g.T
    if negatives == "authors":
        against = against.masked_fill(
            torch.eye(len(f), dtype=torch.bool, device=f.device), -torch.inf
        )
    logits = torch.cat([f @ p.T, against], dim=1) / temperature
    return F.cross_entropy(logits, torch.arange(len(f), device=f.device))


def misalignment(features: Tensor, others: Tensor) -> Tensor:
    """Return 1 minus the mean cosine of features (n, d) of the same noise on two images.

    References
    ----------
    .. [1] T. Wang and P. Isola, "Understanding contrastive representation learning through
       alignment and uniformity on the hypersphere", ICML 2020.
    """
    return 1 - F.cosine_similarity(features.float(), others.float(), dim=-1).mean()


def head_loss(logits: Tensor, strengths: Tensor) -> Tensor:
    """Return the mean squared error of softmax(logits): the paper's loss of the head."""
    return F.mse_loss(logits.float().softmax(-1), strengths)


def strength_loss(logits: Tensor, strengths: Tensor) -> Tensor:
    """Return the loss of full fine-tuning: squared error plus distances between square roots.

    The first is in units of the paper's prior (SD 0.143). With square roots, a strength of 0.02
    read as 0.05 costs as much as 0.3 read as 0.38: planes of real stacks are nearly clean. Crops
    that can hardly be read dominate their squared distance (Hellinger's); their absolute distance
    makes the network read the others exactly, and absent noise as 0.
    """
    predicted = logits.float().softmax(-1)
    squared = F.mse_loss(predicted, strengths) / 0.143**2
    apart = predicted.clamp_min(1e-8).sqrt() - strengths.sqrt()
    return squared + (2 * apart.square() + apart.abs() / 2).sum(-1).mean()


def make_optimizers(
    network: NoiseViT, recipe: TrainRecipe, *, bfloat16: bool
) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices of the layers, in bfloat16 or not, and AdamW for the rest."""
    muon = torch.optim.Muon if bfloat16 else Float32Muon
    rate, decay = recipe.learning_rate, recipe.weight_decay
    within = [p for p in network.blocks.parameters() if p.ndim == 2]
    known = {id(p) for p in within}
    rest = [p for p in network.parameters() if id(p) not in known]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [
        muon(within, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98)),
    ]


class Float32Muon(torch.optim.Muon):
    """PyTorch's Muon, with matrices orthogonalised in single precision.

    PyTorch's own uses bfloat16, which takes up to 80 times as long on processors without
    instructions for it. Settings, with the rate matched to AdamW's, and state are the same.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take a step along the orthogonalised, averaged gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                mean = state.setdefault("momentum_buffer", torch.zeros_like(parameter))
                mean.lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(mean, group["momentum"])
                step = orthogonal(ahead, group["ns_coefficients"], group["ns_steps"])
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(step, alpha=-0.2 * group["lr"] * max(step.shape) ** 0.5)


def orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int) -> Tensor:
    """Return a matrix with the same singular vectors and singular values near 1.

    By Newton-Schulz iterations of fifth order: x <- a x + (b g + c g g) x, where g = x x'.
    """
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return torch.as_tensor(x.T if tall else x)
