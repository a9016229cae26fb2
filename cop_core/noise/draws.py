"""Random numbers for noise primitives, on the device of the images and from one seed."""

from __future__ import annotations

import torch
from torch import Tensor


class Draws:
    """Random fields shaped like the images that they corrupt.

    Parameters
    ----------
    generator : torch.Generator
        Source of all numbers; its device must be the images' device.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    @classmethod
    def seeded(cls, seed: int, device: torch.device | str = "cpu") -> Draws:
        """Return draws that a seed reproduces on the given device."""
        return cls(torch.Generator(device=device).manual_seed(seed))

    def normal(self, like: Tensor) -> Tensor:
        """Return standard normal numbers, one a pixel."""
        return torch.randn(
            like.shape, generator=self._generator, device=like.device, dtype=like.dtype
        )

    def uniform(self, like: Tensor) -> Tensor:
        """Return numbers uniform on [0, 1), one a pixel."""
        return torch.rand(
            like.shape, generator=self._generator, device=like.device, dtype=like.dtype
        )

    def poisson(self, rate: Tensor) -> Tensor:
        """Return Poisson counts of the given rate (any non-negative tensor)."""
        return torch.poisson(rate, generator=self._generator)
