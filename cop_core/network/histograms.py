"""Histograms and means by place: how statistics are gathered from many crops at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

KNEE = 0.002
"""Magnitude, as a share of full scale, up to which the scale is about linear."""


def log_magnitude(x: Tensor) -> Tensor:
    """Return magnitudes up to full scale on a logarithmic scale in [0, 1], linear near 0."""
    return torch.log1p(x.abs() / KNEE) / math.log1p(1 / KNEE)


def log_bin(residual: Tensor, bins: int) -> Tensor:
    """Return bin numbers on a symmetric logarithmic scale with a linear knee, int64."""
    signed = torch.copysign(log_magnitude(residual), residual)
    return ((signed + 1) * (bins / 2)).long().clamp_(0, bins - 1)


def counts(place: Tensor, places: int, level: Tensor, levels: int) -> Tensor:
    """Return joint histograms (n, places, levels) of two integer maps (n, ...)."""
    n = place.shape[0]
    index = (place * levels + level).reshape(n, -1)
    index = index + torch.arange(n, device=index.device)[:, None] * (places * levels)
    flat = torch.bincount(index.flatten(), minlength=n * places * levels)
    return flat.reshape(n, places, levels).float()


def means(place: Tensor, places: int, value: Tensor) -> Tensor:
    """Return means of (n, f, h, w) values by place, (n, places, f); 0 for empty places."""
    n, f = value.shape[:2]
    index = place.reshape(n, 1, -1).expand(n, f, -1)
    sums = value.new_zeros(n, f, places).scatter_add_(2, index, value.reshape(n, f, -1))
    size = value.new_zeros(n, places).scatter_add_(
        1, place.reshape(n, -1), torch.ones_like(value[:, 0]).reshape(n, -1)
    )
    return (sums / size.clamp_min(1)[:, None]).transpose(1, 2)


def shares(counts: Tensor) -> Tensor:
    """Return square roots of shares of the last axis: variance-stabilised, 0 if empty."""
    return (counts / counts.sum(-1, keepdim=True).clamp_min(1)).sqrt()
