"""The Vision Transformer that reads noise strengths from a crop."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cop_core.errors import InputError
from cop_core.network.crop_statistics import noise_statistics
from cop_core.network.tensor_statistics import (
    CROP_FEATURES,
    GROUP_FEATURES,
    GROUPS,
    PATCH_FEATURES,
    CropStatistics,
    without_small_groups,
)
from cop_core.network.uncertainty import UncertaintyHead
from cop_core.records.crop_grid import CROP


@dataclass(frozen=True)
class VitConfig:
    """Shape of a Vision Transformer that reads noise strengths.

    Attributes
    ----------
    stem : {"statistics", "patch"}
        Content of the tokens: physical statistics of the noise, or the paper's linear patch
        embedding of pixels.
    crop, patch : int
        Side of the crop and of its patches, in pixels.
    channels : int
        Input channels; with 1, colour is read channel by channel and averaged.
    depth, width, heads : int
        Layers, token width and attention heads.
    layer_scale : float
        Initial LayerScale.
    drop_path : float
        Stochastic depth rate of the last layer, rising linearly from 0.
    outputs : int
        Number of strengths.
    uncertainty : bool
        Whether it also estimates the uncertainty of the strengths.
    """

    stem: Literal["statistics", "patch"] = "statistics"
    crop: int = CROP
    patch: int = 32
    channels: int = 1
    depth: int = 6
    width: int = 192
    heads: int = 3
    layer_scale: float = 0.1
    drop_path: float = 0.0
    outputs: int = 6
    uncertainty: bool = False

    def __post_init__(self) -> None:
        sizes = (self.crop, self.patch, self.channels, self.depth, self.width, self.heads)
        if min(*sizes, self.outputs) < 1:
            raise InputError(f"a network with a size below 1: {self}")
        if self.crop % self.patch or self.width % self.heads:
            raise InputError(
                f"a crop of {self.crop} in patches of {self.patch}, or a width of {self.width} "
                f"in {self.heads} heads, does not divide evenly"
            )

    @classmethod
    def preset(cls, name: str, *, outputs: int = 6) -> VitConfig:
        """Return a named configuration: ``default`` or ``paper``.

        Raises
        ------
        InputError
            If there is no such configuration.
        """
        if name not in _PRESETS:
            raise InputError(f"no network {name!r}", advice=f"use one of {', '.join(_PRESETS)}")
        return replace(_PRESETS[name], outputs=outputs)


_PRESETS: Final = {
    "default": VitConfig(),
    "paper": VitConfig(  # ViT-B/16
        stem="patch", patch=16, channels=3, depth=12, width=768, heads=12, drop_path=0.1
    ),
}


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

    def forward(self, x: Tensor, first: int | None = None) -> Tensor:
        """Return tokens (n, t, width), or only the `first` of them, which still attend to all.

        Parameters
        ----------
        x : Tensor of shape (n, t, width)
        """
        kept = x[:, :first] + self._keep(self.scale1 * self._attend(self.norm1(x), first))
        return kept + self._keep(self.scale2 * self.mlp(self.norm2(kept)))

    def _attend(self, x: Tensor, first: int | None) -> Tensor:
        n, _, c = x.shape
        weight, bias = self.qkv.weight, self.qkv.bias
        asked = F.linear(x[:, :first], weight[:c], bias[:c])
        known = F.linear(x, weight[c:], bias[c:])
        q, k, v = (  # each (n, heads, tokens, c / heads)
            part.reshape(n, -1, self.heads, c // self.heads).transpose(1, 2)
            for part in (asked, *known.chunk(2, dim=-1))
        )
        if x.device.type == "cpu" and torch.is_grad_enabled():
            # the fused form takes a quarter of a training step on a CPU, mostly in the backward
            # pass
            mixed = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1).to(v) @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v)  # (n, heads, t, c / heads)
        return torch.as_tensor(self.out(mixed.transpose(1, 2).reshape(n, -1, c)))  # (n, first, c)

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
        self.position = _positions(tokens, config.width)

    def prepare(self, crops: Tensor) -> Tensor:
        """Return the crops with the stem's channels: grey is copied, its noise field shared."""
        return crops.expand(-1, self.embed.in_channels, -1, -1)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.embed(x - 0.5).flatten(2).transpose(1, 2)  # (n, patches, width)
        cls = self.cls.expand(len(x), -1, -1)  # (n, 1, width)
        return torch.cat([cls, patches], dim=1) + self.position  # (n, 1 + patches, width)


class StatisticsStem(nn.Module):
    """Tokens from physical statistics: by brightness, by place, and of the whole crop."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.crop = _mlp(CROP_FEATURES, config.width)
        self.groups = _mlp(GROUP_FEATURES, config.width)
        self.patches = _mlp(PATCH_FEATURES, config.width)
        tokens = 1 + GROUPS + (config.crop // config.patch) ** 2
        self.position = _positions(tokens, config.width)

    def prepare(self, crops: Tensor) -> CropStatistics:
        """Return the statistics of crops (n, 1, crop, crop): no weights, no gradient, float32."""
        with torch.autocast(crops.device.type, enabled=False):
            return noise_statistics(crops.float(), self.patch)

    def forward(self, statistics: CropStatistics) -> Tensor:
        tokens = [
            self.crop(statistics.crop).unsqueeze(1),  # (n, 1, width)
            self.groups(without_small_groups(statistics.groups)),  # (n, groups, width)
            self.patches(statistics.patches),  # (n, patches, width)
        ]
        return torch.cat(tokens, dim=1) + self.position  # (n, 1 + groups + patches, width)


class NoiseViT(nn.Module):
    """Encoder and head: crops in, logits of strengths out."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = PatchStem(config) if config.stem == "patch" else StatisticsStem(config)
        rates = torch.linspace(0, config.drop_path, config.depth, device="cpu").tolist()
        self.blocks = nn.ModuleList([Block(config, rate) for rate in rates])
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.outputs)
        self.uncertainty = (
            UncertaintyHead(config.width, config.outputs) if config.uncertainty else None
        )

    def prepare(self, crops: Tensor) -> Tensor | CropStatistics:
        """Return the part of the stem without weights, which can be computed in advance."""
        prepared: Tensor | CropStatistics = self.stem.prepare(crops)
        return prepared

    def forward_features(self, x: Tensor | CropStatistics) -> Tensor:
        """Return the class token's features (n, width).

        Parameters
        ----------
        x : Tensor of shape (n, 1 or channels, crop, crop), or what `prepare` made of it
            Crops in [0, 1].
        """
        tokens = self.stem(self.prepare(x) if isinstance(x, Tensor) else x)  # (n, tokens, width)
        for block in self.blocks[:-1]:
            tokens = block(tokens)  # (n, tokens, width)
        tokens = self.blocks[-1](tokens, first=1)  # (n, 1, width): the class token's
        return torch.as_tensor(self.norm(tokens[:, 0]))  # (n, width)

    def forward_head(self, features: Tensor) -> Tensor:
        """Return logits (n, outputs) of features (n, width); their softmax is the strengths."""
        return torch.as_tensor(self.head(features))

    def forward(self, x: Tensor | CropStatistics) -> Tensor:
        return self.forward_head(self.forward_features(x))


def _positions(tokens: int, width: int) -> nn.Parameter:
    """Return the learnable position embedding; without values on the meta device."""
    places = torch.empty(1, tokens, width)
    # random numbers there would import PyTorch's compiler, which takes a second
    return nn.Parameter(places if places.is_meta else torch.randn(1, tokens, width) * 0.02)


def _mlp(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width))
