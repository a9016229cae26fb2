"""Priors over noise strengths: distributions on the simplex for training and benchmarks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.errors import InputError

Prior = Callable[[int, int, torch.Generator], Tensor]
"""(number of vectors, number of components, generator) -> (n, components), rows sum to 1."""


def paper(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return softmax(z), z standard normal: the paper's prior (SD 0.143 per component for six)."""
    return _normal(n, k, generator).softmax(-1)


def wide(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return softmax(t z) with t uniform on [1, 5]: from even mixtures to a single kind."""
    t = 1 + 4 * _uniform(n, 1, generator)
    return (t * _normal(n, k, generator)).softmax(-1)


def nearly_clean(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return mixtures in which clean (the last component) leads by 1 to 8 in the logits."""
    z = 2 * _normal(n, k, generator)
    z[:, -1:] += 1 + 7 * _uniform(n, 1, generator)
    return z.softmax(-1)


def alone(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return one noise of strength in [0, 0.8], more often weak, and the rest clean."""
    which = torch.randint(k - 1, (n, 1), generator=generator, device=generator.device)
    strength = 0.8 * _uniform(n, 1, generator) ** 1.5
    s = torch.zeros(n, k, device=generator.device)
    s.scatter_(1, which, strength)
    s[:, -1:] = 1 - strength
    return s


def pair(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return two noises that share up to 0.8, and the rest clean."""
    share = _uniform(n, 1, generator)
    first, second = alone(n, k, generator), alone(n, k, generator)
    return share * first + (1 - share) * second


def faint(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return a few noises, each of strength 0.005 to 0.4 evenly on a logarithmic scale.

    One noise is always present, every other one with probability 1/4; the rest is clean. If the
    noises sum to more than 0.9, they are scaled to it.
    """
    strength = 0.005 * 80 ** _uniform(n, k - 1, generator)
    which = torch.randint(k - 1, (n, 1), generator=generator, device=generator.device)
    there = (_uniform(n, k - 1, generator) < 0.25).scatter_(1, which, True)
    strength = strength * there
    strength = strength * (0.9 / strength.sum(-1, keepdim=True)).clamp_max(1)
    return torch.cat([strength, 1 - strength.sum(-1, keepdim=True)], dim=-1)


def stacks(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return half `mixture` and half `faint`: good planes of real stacks are nearly clean."""
    chosen = _uniform(n, 1, generator) < 0.5
    return torch.where(chosen, mixture(n, k, generator), faint(n, k, generator))


def doses(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return half `mixture`, a quarter `faint` and a quarter `alone`: dose response and stacks."""
    which = _uniform(n, 1, generator)
    single = torch.where(which < 0.75, faint(n, k, generator), alone(n, k, generator))
    return torch.where(which < 0.5, mixture(n, k, generator), single)


def detector(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return shot and amplifier noise in all proportions, together 0.05 to 0.9.

    The components are in the order of `DEFAULT_COMPONENTS`.

    A third has further noises, drawn as in `faint`, in up to half of the rest.
    """
    amplifier, shot = (DEFAULT_COMPONENTS.index(name) for name in ("gaussian", "poisson"))
    total = 0.05 + 0.85 * _uniform(n, 1, generator)
    share = _uniform(n, 1, generator)
    others = torch.where(_uniform(n, 1, generator) < 1 / 3, (1 - total) / 2, 0.0)
    s = others * faint(n, k, generator)
    s[:, amplifier] = (total * share)[:, 0]
    s[:, shot] = (total * (1 - share))[:, 0]
    s[:, -1] += 1 - s.sum(-1)
    return s


def acquisition(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return three quarters `doses` and a quarter `detector`: the noise of microscopes."""
    chosen = _uniform(n, 1, generator) < 0.75
    return torch.where(chosen, doses(n, k, generator), detector(n, k, generator))


def calibration(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return seven eighths `mixture` and one eighth `detector`: the range of the uncertainty."""
    chosen = _uniform(n, 1, generator) < 7 / 8
    return torch.where(chosen, mixture(n, k, generator), detector(n, k, generator))


def benchmark(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return half `paper` and half `mixture`: for the genome of the paper's benchmark."""
    chosen = _uniform(n, 1, generator) < 0.5
    return torch.where(chosen, paper(n, k, generator), mixture(n, k, generator))


def mixture(n: int, k: int, generator: torch.Generator) -> Tensor:
    """Return the training mixture of all priors here.

    A network trained on the paper's prior alone reads real planes with the wrong sign, because that
    prior never draws a nearly clean image or a single noise.
    """
    parts = (paper, wide, nearly_clean, alone, pair)
    shares = torch.tensor([0.3, 0.3, 0.12, 0.14, 0.14], device=generator.device)
    which = torch.multinomial(shares, n, replacement=True, generator=generator)
    drawn = torch.stack([part(n, k, generator) for part in parts])
    return drawn[which, torch.arange(n, device=generator.device)]


PRIORS: dict[str, Prior] = {
    f.__name__: f
    for f in (
        paper,
        wide,
        nearly_clean,
        alone,
        pair,
        mixture,
        faint,
        stacks,
        doses,
        detector,
        acquisition,
        calibration,
        benchmark,
    )
}
"""Priors by name."""


def get_prior(name: str) -> Prior:
    """Return the prior of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in PRIORS:
        raise InputError(f"no prior {name!r}", advice=f"use one of {', '.join(PRIORS)}")
    return PRIORS[name]


def _normal(n: int, k: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, k, generator=generator, device=generator.device)


def _uniform(n: int, k: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, k, generator=generator, device=generator.device)
