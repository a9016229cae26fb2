"""The registry of noise primitives, and the built-in primitives.

Images are (n, c, h, w) in [0, 1]; strengths (n, 1, 1, 1) in [0, 1]; every primitive is the identity
at strength 0. Names without a prefix are physical models; those with ``paper_`` are the formulas of
arXiv 2601.17047 as written. The engine clips to [0, 1] after each.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cop_core.errors import InputError


class Draws:
    """Random fields shaped like the images that they corrupt, from a generator on their device."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    @classmethod
    def seeded(cls, seed: int, device: torch.device | str = "cpu") -> Draws:
        """Return draws on the given device that are reproducible by a seed."""
        return cls(torch.Generator(device=device).manual_seed(seed))

    def normal(self, like: Tensor) -> Tensor:
        """Return standard normal numbers, one per pixel."""
        return torch.randn(
            like.shape, generator=self._generator, device=like.device, dtype=like.dtype
        )

    def uniform(self, like: Tensor) -> Tensor:
        """Return numbers uniform on [0, 1), one per pixel."""
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
    component : str
        Name of its strength in vectors, tables and plots. Two primitives may share it if they model
        the same noise in different ways (the paper's Poisson and real shot noise).
    apply : callable
        The engine clips to [0, 1] after it.
    """

    name: str
    component: str
    apply: NoiseFunction


PRIMITIVES: dict[str, Primitive] = {}
"""Registered primitives by name."""


def primitive(
    name: str, *, component: str | None = None
) -> Callable[[NoiseFunction], NoiseFunction]:
    """Register a noise function under a name and, if it differs, the name of its component.

    Warns
    -----
    UserWarning
        If the name is already registered; the newer function wins.
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
        If there is none.
    """
    if name not in PRIMITIVES:
        known = ", ".join(sorted(PRIMITIVES))
        raise InputError(f"no noise primitive {name!r}", advice=f"use one of {known}")
    return PRIMITIVES[name]


_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)
_BINOMIAL_SD = 70.0 / 256.0
"""SD of white noise of SD 1 after the 5x5 binomial kernel: sum(b^2) / 256."""

MAX_RATE = 1e6
"""Photons per pixel beyond which shot noise (relative SD 1e-3) is drawn from its normal limit."""


def correlated_field(like: Tensor, draws: Draws) -> Tensor:
    """Return unit normal noise filtered with the 5x5 binomial kernel, shape of `like`.

    The white field is drawn two pixels larger on every side, to keep the variance at borders. The
    kernel sums to 1; the field's SD is 70/256.
    """
    n, c, h, w = like.shape
    white = draws.normal(like.new_empty(()).expand(n, c, h + 4, w + 4))
    taps = [b / 16.0 for b in _BINOMIAL]
    rows = torch.stack([t * white[..., i : i + h, :] for i, t in enumerate(taps)]).sum(0)
    return torch.stack([t * rows[..., i : i + w] for i, t in enumerate(taps)]).sum(0)


@primitive("paper_gaussian", component="gaussian")
def paper_gaussian(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return x + s e."""
    return x + s * draws.normal(x)


@primitive("salt_pepper")
def salt_pepper(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return x with s/4 of the pixels at 0 and s/4 at 1."""
    u = draws.uniform(x)
    return torch.where(u < s / 4, 0.0, torch.where(u > 1 - s / 4, 1.0, x))


@primitive("paper_poisson", component="poisson")
def paper_poisson(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return x + Pois(s x / 4), which after clipping is signal-dependent salt.

    One count or more takes any x > 0 past 1, and x = 0 has rate 0. The clipped result is therefore
    1 with probability 1 - exp(-s x / 4), else x, and is drawn that way.
    """
    return torch.where(draws.uniform(x) < -torch.expm1(-s * x / 4), 1.0, x)


@primitive("paper_quantization", component="quantization")
def paper_quantization(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return l floor(x / l + u) with l = s / 4: unbiased dither."""
    return _on_lattice(x, s / 4, draws.uniform(x))


@primitive("paper_anisotropic", component="anisotropic")
def paper_anisotropic(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return x + K * (s e / 4), K the 5x5 binomial kernel: SD 0.0684 s."""
    return x + s / 4 * correlated_field(x, draws)


@primitive("gaussian")
def gaussian(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return x plus white noise of SD s/2 of full scale (amplifier)."""
    return x + s / 2 * draws.normal(x)


@primitive("shot", component="poisson")
def shot(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return Pois(N x) / N with N = 4 / s^2 photons at full scale: SD s/2 at x = 1."""
    weakest = 2 / MAX_RATE**0.5
    photons = 4 / s.clamp_min(weakest) ** 2
    counted = draws.poisson(photons * x) / photons
    # N above MAX_RATE exceeds the exact integers of float32: draw from the normal limit there. The
    # choice depends on s, because float32 rounds the N of the weakest strength below MAX_RATE.
    bright = s <= weakest
    limit = x + s / 2 * x.sqrt() * draws.normal(x) if bool(bright.any()) else counted
    return torch.where(bright, limit, counted)


@primitive("analog_shot", component="poisson")
def analog_shot(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return shot noise of detectors that sum pulses rather than count photons.

    Pulse heights have mean 1 and SD g, for each image g = 0 with probability 2/5, else uniform on
    [0.1, 0.6]. N (1 + g^2) photons are detected at full scale, so mean and variance are those of
    `shot` with N = 4 / s^2, but values do not lie on a lattice of whole photons. A fifth of the
    images with g > 0 simulate slow amplifiers: a share w of each pulse, uniform on [0, 0.3], falls
    into the next pixel of the line (rows or columns), which correlates neighbours by up to 0.36.
    """
    u, slow, line = draws.uniform(s), draws.uniform(s), draws.uniform(s)
    g = torch.where(u < 0.4, 0.0, 0.1 + (u - 0.4) / 1.2)
    weakest = 2 / MAX_RATE**0.5
    photons = 4 / s.clamp_min(weakest) ** 2 * (1 + g**2)
    counted = draws.poisson(photons * x)
    e = draws.normal(x)  # each image follows one of the two laws
    heights = counted + g * counted.sqrt() * e
    noise = torch.where(s <= weakest, s / 2 * x.sqrt() * e, heights / photons - x)
    w = torch.where((u < 0.4) | (slow < 0.8), 0.0, 1.5 * (slow - 0.8))
    late = torch.where(line < 0.5, noise.roll(1, -1), noise.roll(1, -2))
    return x + ((1 - w) * noise + w * late) / (w**2 + (1 - w) ** 2).sqrt()


@primitive("quantization")
def quantization(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return x rounded to steps of s/4 (converter; no dither)."""
    return _on_lattice(x, s / 4, 0.5)


@primitive("anisotropic")
def anisotropic(x: Tensor, s: Tensor, draws: Draws) -> Tensor:
    """Return x plus spatially correlated noise of SD s/2 of full scale (scatter)."""
    return x + s / 2 / _BINOMIAL_SD * correlated_field(x, draws)


def _on_lattice(x: Tensor, step: Tensor, shift: Tensor | float) -> Tensor:
    """Return step * floor(x / step + shift); x if the step is 0."""
    safe = torch.where(step > 0, step, 1.0)
    return torch.where(step > 0, safe * torch.floor(x / safe + shift), x)
