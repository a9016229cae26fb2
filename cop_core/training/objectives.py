"""What the stages of training minimise."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cop_core.training.config import Negatives


def info_nce(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    temperature: float = 0.1,
    negatives: Negatives = "same-image",
) -> Tensor:
    """Return the contrastive loss over noise (arXiv 2601.17047, with its stated negatives).

    Row i holds the same noise on another image (positive) and another noise on the same image
    (negative). Each anchor's positive stands against all negatives, its own included, and
    against the positives of the other rows.

    Parameters
    ----------
    anchor, positive, negative : Tensor of shape (n, d)
        Features; normalised here.
    temperature : float
        Divides the cosine similarities.
    negatives : {"same-image", "authors"}
        ``"authors"`` leaves out each row's own negative, as the authors' code does.

    Returns
    -------
    Tensor
        Scalar mean loss.
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
    """Return 1 less the mean cosine of features (n, d) of the same noise on two images.

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
    """Return the loss of full fine-tuning: squared error, and distances between square roots.

    The first is in units of the paper's prior (SD 0.143). Square roots are compared so that a
    strength of 0.02 read as 0.05 costs as much as 0.3 read as 0.38: nearly clean planes are what
    real stacks are made of. Their squared distance (Hellinger's) is ruled by the crops that can
    hardly be read; their absolute distance asks of the others to be read exactly, a noise that is
    not there as none.
    """
    predicted = logits.float().softmax(-1)
    squared = F.mse_loss(predicted, strengths) / 0.143**2
    apart = predicted.clamp_min(1e-8).sqrt() - strengths.sqrt()
    return squared + (2 * apart.square() + apart.abs() / 2).sum(-1).mean()
