"""Genomes: noises, their order and names, and the engine that applies them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cop_core.components import CLEAN, DEFAULT_COMPONENTS
from cop_core.errors import InputError
from cop_core.noise.primitives import Draws, Primitive, get_primitive


@dataclass(frozen=True)
class GenomeId:
    """Identity of a genome on the cards of weights; its fingerprint covers the components too."""

    name: str
    order: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class Genome:
    """An ordered list of noise primitives; the Expandable Noisomic Engine's recipe.

    Parameters
    ----------
    name : str
        Its name on the cards of weights.
    order : tuple of str
        Names of registered primitives, in the order in which they act.

    Raises
    ------
    InputError
        If a primitive is not registered or two share a component.
    """

    name: str
    order: tuple[str, ...]

    def __post_init__(self) -> None:
        found = [p.component for p in self.primitives]
        if CLEAN in found or len(set(found)) != len(found):
            raise InputError(f"genome {self.name!r} has a component twice: {found}")

    @classmethod
    def preset(cls, name: str) -> Genome:
        """Return a built-in genome: ``paper``, ``microscopy``, ``cmos`` or ``pmt``.

        Raises
        ------
        InputError
            If there is no such preset.
        """
        if name not in PRESETS:
            raise InputError(f"no genome {name!r}", advice=f"use one of {', '.join(PRESETS)}")
        return PRESETS[name]

    @cached_property
    def primitives(self) -> tuple[Primitive, ...]:
        """The primitives, in the order in which they act."""
        return tuple(get_primitive(name) for name in self.order)

    @cached_property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean last: the order of every vector and table."""
        acting = [p.component for p in self.primitives]
        known = [c for c in DEFAULT_COMPONENTS if c in acting]
        return (*known, *(c for c in acting if c not in known), CLEAN)

    def __len__(self) -> int:
        return len(self.components)

    def corrupt(
        self,
        clean: Tensor | npt.ArrayLike,
        strengths: Tensor | npt.ArrayLike,
        *,
        seed: int = 0,
    ) -> Tensor | npt.NDArray[np.float32]:
        """Corrupt clean images with given strengths.

        Parameters
        ----------
        clean : array or tensor of shape (n, h, w) or (n, h, w, 3)
            Images in [0, 1] (clipped to it). Colour channels get independent noise.
        strengths : array or tensor of shape (n, components)
            In [0, 1], in the order of `components`; the value of clean is ignored.
        seed : int
            Seed of all random numbers.

        Returns
        -------
        array or tensor of the shape of `clean`
            Noisy images in [0, 1]; a tensor if `clean` is a tensor.

        Raises
        ------
        InputError
            If shapes do not fit, a pixel is NaN, or a strength is outside [0, 1] or not finite.
        """
        x = _as_float(clean)
        s = _as_float(strengths).to(x.device)
        self._check(x, s)
        planar = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2)
        noisy = self.apply(planar, s, Draws.seeded(seed, x.device))
        shaped = noisy.squeeze(1) if x.ndim == 3 else noisy.permute(0, 2, 3, 1)
        return shaped if isinstance(clean, Tensor) else shaped.numpy()

    def apply(self, x: Tensor, s: Tensor, draws: Draws) -> Tensor:
        """Corrupt (n, c, h, w) images with (n, components) strengths; no checks."""
        x = x.clamp(0, 1)
        for p in self.primitives:
            strength = s[:, self.components.index(p.component)].reshape(-1, 1, 1, 1)
            if bool((strength > 0).any()):
                x = p.apply(x, strength, draws).clamp_(0, 1)
        return x

    def _check(self, x: Tensor, s: Tensor) -> None:
        if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[-1] != 3):
            raise InputError(
                f"images of shape {tuple(x.shape)}", advice="use (n, h, w) or (n, h, w, 3)"
            )
        if s.shape != (x.shape[0], len(self)):
            raise InputError(
                f"strengths of shape {tuple(s.shape)}",
                advice=f"use ({x.shape[0]}, {len(self)}): {', '.join(self.components)}",
            )
        if bool(x.isnan().any()):
            raise InputError("images with NaN pixels")
        if not bool(((s >= 0) & (s <= 1)).all()):
            raise InputError("strengths outside [0, 1] or not finite")

    def identify(self) -> GenomeId:
        """Return its identity, with a short hash of name, order and components."""
        text = json.dumps([self.name, self.order, self.components])
        return GenomeId(self.name, self.order, hashlib.sha256(text.encode()).hexdigest()[:16])


def _as_float(values: Tensor | npt.ArrayLike) -> Tensor:
    """Return float32 values of arrays with any byte order, strides and writability."""
    if isinstance(values, Tensor):
        return values.to(torch.float32)
    return torch.from_numpy(np.require(values, np.float32, ["C", "W"]))


PRESETS: dict[str, Genome] = {
    name: Genome(name, tuple(order.split()))
    for name, order in (
        ("paper", "paper_gaussian salt_pepper paper_poisson paper_quantization paper_anisotropic"),
        ("microscopy", "anisotropic shot gaussian salt_pepper quantization"),
        ("cmos", "paper_poisson paper_gaussian salt_pepper paper_quantization paper_anisotropic"),
        ("pmt", "paper_anisotropic paper_poisson paper_gaussian salt_pepper paper_quantization"),
    )
}
"""Built-in genomes; ``microscopy`` is the default for stacks."""
