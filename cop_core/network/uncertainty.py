"""Uncertainty of strengths, and the distance of a crop from those in training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_HIDDEN = 96
_LEAST_SD = 1e-4


class UncertaintyHead(nn.Module):
    """Estimates uncertainty and strangeness from the features of an encoder.

    Fitted after training by `cop_core.training.calibrate`; the network itself stays as it is.
    """

    centre: Tensor
    whitening: Tensor
    limit: Tensor
    stretch: Tensor

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.spread = nn.Sequential(
            nn.Linear(width + outputs, _HIDDEN),
            nn.GELU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.GELU(),
            nn.Linear(_HIDDEN, outputs),
        )
        self.register_buffer("centre", torch.zeros(width))
        # not torch.eye: on the meta device it imports PyTorch's compiler, which takes a second
        self.register_buffer("whitening", torch.zeros(width, width).fill_diagonal_(1))
        self.register_buffer("limit", torch.ones(()))
        self.register_buffer("stretch", torch.ones(outputs))

    def sd(self, features: Tensor, strengths: Tensor) -> Tensor:
        """Return the predictive SD of strengths.

        Parameters
        ----------
        features : Tensor of shape (n, width)
            From `NoiseViT.forward_features`.
        strengths : Tensor of shape (n, outputs)
            Strengths as read.

        Returns
        -------
        Tensor of shape (n, outputs)
            For crops like those in training, 90 % of the true strengths lie within 1.645 SD.
        """
        seen = torch.cat([features.float(), strengths.float().sqrt()], dim=-1)
        spread = F.softplus(self.spread(seen)) * self.stretch
        return torch.as_tensor(spread).clamp_min(_LEAST_SD)

    def strangeness(self, features: Tensor) -> Tensor:
        """Return the Mahalanobis distance from the features in training, in units of its limit.

        Shape (n,) for features (n, width). Above 1 for one in a hundred crops in training, and for
        crops unlike them.
        """
        apart = (features.float() - self.centre) @ self.whitening
        return torch.as_tensor(apart.square().mean(-1).sqrt() / self.limit)
