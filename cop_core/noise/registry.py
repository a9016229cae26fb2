"""Where noise primitives are registered: one function and one decorator a primitive."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cop_core.errors import InputError


class Draws:
    """Random fields shaped like the images that they corrupt.

    Parameters
    ----------
    generator : torch.Generator
        Source of all numbers, on the images' device.
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


NoiseFunction = Callable[[Tensor, Tensor, Draws], Tensor]
"""(images (n, c, h, w), strengths (n, 1, 1, 1), draws) -> images of the same shape."""


@dataclass(frozen=True)
class Primitive:
    """One parametric kind of noise.

    Attributes
    ----------
    name : str
        Name in the registry, unique.
    component : str
        Name of its strength in vectors, tables and plots. Two primitives may share it when they
        model the same noise in different ways (the paper's Poisson and real shot noise).
    apply : callable
        The noise itself; the engine clips to [0, 1] after it.
    """

    name: str
    component: str
    apply: NoiseFunction


PRIMITIVES: dict[str, Primitive] = {}
"""Registered primitives by name."""


def primitive(
    name: str, *, component: str | None = None
) -> Callable[[NoiseFunction], NoiseFunction]:
    """Register a noise function under a name and, where it differs, its component's.

    Warns
    -----
    UserWarning
        Where the name is registered already; the newer one wins.
    """

    def register(function: NoiseFunction) -> NoiseFunction:
        if name in PRIMITIVES:
            warnings.warn(f"noise primitive {name!r} is replaced", stacklevel=2)
        PRIMITIVES[name] = Primitive(name, component or name, function)
        return function

    return register


def get_primitive(name: str) -> Primitive:
    """Return the primitive of that name.

    Raises
    ------
    InputError
        Where there is none.
    """
    try:
        return PRIMITIVES[name]
    except KeyError:
        known = ", ".join(sorted(PRIMITIVES))
        raise InputError(f"no noise primitive {name!r}", advice=f"Known: {known}") from None
