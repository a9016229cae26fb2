"""The Vision Transformer that reads noise strengths from a crop."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cop_core.network.config import VitConfig
from cop_core.network.crop_statistics import (
    GROUP_FEATURES,
    GROUPS,
    PATCH_FEATURES,
    WHOLE_FEATURES,
    Statistics,
    noise_statistics,
)
from cop_core.network.uncertainty import Doubt


class Block(nn.Module):
    """Pre-norm transformer layer with LayerScale and stochastic depth."""

    def __init__(self, config: VitConfig, drop_path: float) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.drop_path = drop_path
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.scale1 = nn.Parameter(torch.full((width,), config.layer_scale))
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.scale2 = nn.Parameter(torch.full((width,), config.layer_scale))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._keep(self.scale1 * self._attend(self.norm1(x)))
        return x + self._keep(self.scale2 * self.mlp(self.norm2(x)))

    def _attend(self, x: Tensor) -> Tensor:
        n, t, c = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        if x.device.type == "cpu" and torch.is_grad_enabled():
            # the fused form takes a quarter of a training step on a CPU, most of it backwards
            mixed = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1).to(v) @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v)  # (n, heads, t, c / heads)
        return torch.as_tensor(self.out(mixed.transpose(1, 2).reshape(n, t, c)))

    def _keep(self, branch: Tensor) -> Tensor:
        if not self.training or self.drop_path == 0:
            return branch
        kept = torch.rand(len(branch), 1, 1, device=branch.device) >= self.drop_path
        return branch * kept / (1 - self.drop_path)


class PatchStem(nn.Module):
    """The paper's stem: a linear embedding of pixels, a class token, absolute positions."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.embed = nn.Conv2d(config.channels, config.width, config.patch, config.patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, config.width))
        tokens = (config.crop // config.patch) ** 2 + 1
        self.position = nn.Parameter(torch.randn(1, tokens, config.width) * 0.02)

    def prepare(self, crops: Tensor) -> Tensor:
        """Return the crops with the stem's channels: grey is copied, its noise field shared."""
        return crops.expand(-1, self.embed.in_channels, -1, -1)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.embed(x - 0.5).flatten(2).transpose(1, 2)  # (n, patches, width)
        return torch.cat([self.cls.expand(len(x), -1, -1), patches], dim=1) + self.position


class StatisticsStem(nn.Module):
    """Tokens from physical statistics: by brightness, by place, and of the whole crop."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.whole = _mlp(WHOLE_FEATURES, config.width)
        self.groups = _mlp(GROUP_FEATURES, config.width)
        self.patches = _mlp(PATCH_FEATURES, config.width)
        tokens = 1 + GROUPS + (config.crop // config.patch) ** 2
        self.position = nn.Parameter(torch.randn(1, tokens, config.width) * 0.02)

    def prepare(self, crops: Tensor) -> Statistics:
        """Return the statistics of crops (n, 1, crop, crop): no weights, no gradient, float32."""
        with torch.autocast(crops.device.type, enabled=False):
            return noise_statistics(crops.float(), self.patch)

    def forward(self, statistics: Statistics) -> Tensor:
        tokens = [
            self.whole(statistics.whole).unsqueeze(1),  # (n, 1, width)
            self.groups(statistics.groups),  # (n, groups, width)
            self.patches(statistics.patches),  # (n, patches, width)
        ]
        return torch.cat(tokens, dim=1) + self.position


class NoiseViT(nn.Module):
    """Encoder and head: crops in, logits of strengths out.

    Parameters
    ----------
    config : VitConfig
        Shape of the network.
    """

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = PatchStem(config) if config.stem == "patch" else StatisticsStem(config)
        rates = torch.linspace(0, config.drop_path, config.depth, device="cpu").tolist()
        self.blocks = nn.ModuleList([Block(config, rate) for rate in rates])
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.outputs)
        self.doubt = Doubt(config) if config.doubt else None

    def prepare(self, crops: Tensor) -> Tensor | Statistics:
        """Return what of the stem needs no weights, so that it can be worked out ahead."""
        prepared: Tensor | Statistics = self.stem.prepare(crops)
        return prepared

    def forward_features(self, x: Tensor | Statistics) -> Tensor:
        """Return the class token's features (n, width).

        Parameters
        ----------
        x : Tensor of shape (n, 1 or channels, crop, crop), or what `prepare` made of it
            Crops in [0, 1].
        """
        tokens = self.stem(self.prepare(x) if isinstance(x, Tensor) else x)
        for block in self.blocks:
            tokens = block(tokens)
        return torch.as_tensor(self.norm(tokens[:, 0]))

    def forward_head(self, features: Tensor) -> Tensor:
        """Return logits (n, outputs) of features (n, width); their softmax is the strengths."""
        return torch.as_tensor(self.head(features))

    def forward(self, x: Tensor | Statistics) -> Tensor:
        return self.forward_head(self.forward_features(x))


def _mlp(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width))
