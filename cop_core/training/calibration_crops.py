"""Crops from which the uncertainty is learnt: those of training, and those read worst."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.noise import Draws, Genome, get_prior
from cop_core.noise.primitives import get_primitive
from cop_core.recipes import Stage
from cop_core.training.batches import Batch, BatchMaker, push_out_of_range, round_as_stored

_TAIL: Final = 0.001
"""Share of a plane's pixels beyond each of its normalisation percentiles."""
_LEAST_SPAN: Final = 0.02
_STEPS: Final = (0.002, 0.04)
"""Quantization of a plane in integer counts, as a strength on the range of the clean plane."""


class CalibrationMaker(BatchMaker):
    """Makes a quarter of the batches stretched, a 16th as planes, the rest as in training.

    Planes are those of a detector, normalised by percentiles as in reading stacks; genomes without
    a physical detector get crops as in training instead.
    """

    def make(self, stage: Stage, step: int) -> Batch:
        """Return the batch of one step; the same for the same seed, stage and step."""
        (genome,) = self.genomes
        stretched = step % 4 == 2
        detected = step % 16 == 15 and {"analog_shot", "gaussian"} <= set(genome.order)
        if not (stretched or detected):
            return super().make(stage, step)
        generator = self.generator(stage, step)
        clean = self.bank.crops(self.recipe.batch_size, self.crop, generator)
        if stretched:
            strengths = self.prior(len(clean), len(genome), generator)
            finer = torch.where(_draw(generator, len(clean), 1, 1, 1) < 0.5, refine(clean), clean)
            noisy = genome.apply(stretch(finer, generator), strengths, Draws(generator))
        else:
            noisy, strengths = detector_planes(clean, genome, generator)
        noisy = push_out_of_range(round_as_stored(noisy, generator), generator)
        return Batch(step, 0, self.prepare(noisy), strengths)


def refine(clean: Tensor) -> Tensor:
    """Return crops (n, 1, h, w) of half the scale, mirrored: their detail goes down to pixels.

    Fine texture is mistaken for noise; every second pixel is dropped without a filter.
    """
    far = clean[..., ::2, ::2]
    wide = torch.cat([far, far.flip(-1)], dim=-1)
    whole = torch.cat([wide, wide.flip(-2)], dim=-2)
    return whole[..., : clean.shape[-2], : clean.shape[-1]]


def stretch(clean: Tensor, generator: torch.Generator) -> Tensor:
    """Stretch clean crops (n, 1, h, w) until 0.2 to 30 % of their pixels clip at each end."""
    dark, bright = 0.002 + 0.298 * _draw(generator, 2, len(clean))
    low, high = _quantile(clean, dark), _quantile(clean, 1 - bright)
    return ((clean - low) / (high - low).clamp_min(_LEAST_SPAN)).clamp(0, 1)


def detector_planes(
    clean: Tensor, genome: Genome, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return planes of a detector, normalised, and the true strengths on that scale.

    Shot and amplifier noise come in the proportions of the prior `detector`; half of the planes are
    rounded to counts. Percentiles become 0 and 1; in half of the planes 0 remains the detector's
    zero. Unlike in crops with noise added on their own range, noise at the dark end does not clip.

    Parameters
    ----------
    clean : Tensor of shape (n, 1, h, w)
        In [0, 1].
    genome : Genome
        With ``analog_shot`` and ``gaussian``.
    generator : torch.Generator
        Generator on the device of the crops.

    Returns
    -------
    planes : Tensor of shape (n, 1, h, w)
        In [0, 1].
    strengths : Tensor of shape (n, components)
    """
    n = len(clean)
    few = clean.new_full((n,), _TAIL)
    full = _quantile(clean, 1 - few).clamp_min(_TAIL)
    light = clean / full
    span = (1 - _quantile(light, few)).clamp_min(_LEAST_SPAN)
    drawn = get_prior("detector")(n, len(DEFAULT_COMPONENTS), generator).reshape(n, -1, 1, 1, 1)
    least, most = _STEPS
    steps = least * (most / least) ** _draw(generator, n, 1, 1, 1)
    put_in = {
        "analog_shot": drawn[:, DEFAULT_COMPONENTS.index("poisson")] * span.sqrt(),
        "gaussian": drawn[:, DEFAULT_COMPONENTS.index("gaussian")] * span,
        "quantization": torch.where(_draw(generator, n, 1, 1, 1) < 0.5, steps * span, 0.0),
    }
    counts, draws = light, Draws(generator)
    for name, strength in put_in.items():
        counts = get_primitive(name).apply(counts, strength, draws)
    bottom = _quantile(counts, few)
    low = torch.where(_draw(generator, n, 1, 1, 1) < 0.5, bottom, 0.0)
    scale = (_quantile(counts, 1 - few) - low).clamp_min(_TAIL)
    strengths = clean.new_zeros(n, len(genome))
    for name, strength in put_in.items():
        on_range = strength / (scale.sqrt() if name == "analog_shot" else scale)
        component = get_primitive(name).component
        strengths[:, genome.components.index(component)] = on_range.flatten()
    strengths[:, -1] = (1 - strengths.sum(1)).clamp_min(0)
    return ((counts - low) / scale).clamp(0, 1), strengths


def _quantile(images: Tensor, share: Tensor) -> Tensor:
    """Return the quantile of each image at its share (n,), as (n, 1, 1, 1)."""
    pixels = images.flatten(1).sort(dim=1).values
    at = (share * (pixels.shape[1] - 1)).round().long()
    return pixels.gather(1, at.unsqueeze(1)).reshape(-1, 1, 1, 1)


def _draw(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator, device=generator.device)
