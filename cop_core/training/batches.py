"""Batches of noisy crops, each drawn from the seed and its step alone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cop_core.network import NoiseViT
from cop_core.network.tensor_statistics import CropStatistics
from cop_core.noise import Draws, Genome, get_prior
from cop_core.recipes import STAGES, Stage, TrainRecipe
from cop_core.training.scene_bank import SceneBank

_AHEAD = 3
_BETWEEN = 32
"""Number of batches made between two uses of the same one."""


@dataclass(frozen=True)
class Batch:
    """One step's input.

    Attributes
    ----------
    step : int
        Number of the step in its stage.
    genome : int
        Index of its genome among those of the run.
    crops : Tensor of shape (n, 1, size, size), or CropStatistics of it
        Noisy crops in [0, 1], prepared for the network. In the contrastive stage the first third
        are anchors, the second positives, the last negatives. In joint fine-tuning both halves have
        the same noise on different images.
    strengths : Tensor of shape (n, components)
        True strengths.
    """

    step: int
    genome: int
    crops: Tensor | CropStatistics
    strengths: Tensor


class BatchMaker:
    """Makes the batch of any step of any stage on a device, prepared for the network."""

    def __init__(
        self, recipe: TrainRecipe, bank: SceneBank, network: NoiseViT, device: torch.device
    ) -> None:
        self.recipe = recipe
        self.bank = bank.on(device)
        self.crop = network.config.crop
        self.prepare = network.prepare
        self.device = device
        self.genomes = [with_analog_detectors(Genome.preset(name)) for name in recipe.genomes]
        self.prior = get_prior(recipe.prior)

    def make(self, stage: Stage, step: int) -> Batch:
        """Return the batch of one step; the same for the same seed, stage and step."""
        generator = self.generator(stage, step)
        which = step % len(self.genomes)
        genome = self.genomes[which]
        if stage == "contrastive":
            clean, strengths = self._triples(len(genome), generator)
        else:
            copies = 2 if stage == "finetune" and self.recipe.alignment else 1
            n = self.recipe.batch_size // copies
            clean = self.bank.crops(copies * n, self.crop, generator)
            strengths = self.prior(n, len(genome), generator).repeat(copies, 1)
        noisy = round_as_stored(genome.apply(clean, strengths, Draws(generator)), generator)
        if stage != "contrastive":
            noisy = push_out_of_range(noisy, generator)
        return Batch(step, which, self.prepare(noisy), strengths)

    def generator(self, stage: Stage, step: int) -> torch.Generator:
        """Return the random generator of the batch of one step."""
        first = (self.recipe.seed * len(STAGES) + STAGES.index(stage)) * 10_000_000
        seed = first + self.recipe.first_batch + step
        return torch.Generator(self.device).manual_seed(seed)

    def ahead(self, stage: Stage, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches of steps start to stop - 1, making a few in advance.

        Each maker uses one core: a batch consists mostly of many small operations.
        """
        made: dict[int, Future[Batch]] = {}
        with ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for step in range(start, stop):
                for coming in range(step, min(step + _AHEAD, stop)):
                    number = self._number(coming)
                    if number not in made:
                        made[number] = pool.submit(self.make, stage, number)
                yield replace(made[self._number(step)].result(), step=step)
                last = (step + 1) // self.recipe.uses - 1 - (self.recipe.uses - 1) * _BETWEEN
                made.pop(last, None)

    def _number(self, step: int) -> int:
        """Return the number of the batch of a step: a new one, or an older one used again."""
        new, again = divmod(step, self.recipe.uses)
        return new - again * _BETWEEN if new >= again * _BETWEEN else new

    def _triples(self, components: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        n = self.recipe.batch_size // 3
        image, other = torch.chunk(self.bank.crops(2 * n, self.crop, generator), 2)
        s, t = torch.chunk(self.prior(2 * n, components, generator), 2)
        return torch.cat([image, other, image]), torch.cat([s, s, t])


def with_analog_detectors(genome: Genome) -> Genome:
    """Return the genome with the photon noise of detectors, most of which do not count photons.

    Mean and variance, and therefore the strengths, are the same. But a network trained on whole
    photons only reads their lattice, not their noise: without the lattice it read shot noise of 0.3
    as 0.09.
    """
    detected = {"shot": "analog_shot"}
    return Genome(genome.name, tuple(detected.get(name, name) for name in genome.order))


def round_as_stored(noisy: Tensor, generator: torch.Generator) -> Tensor:
    """Round a third of the crops to 10 to 16 bits of full scale, as in files and cameras.

    The labels remain valid, since this is finer than any relevant quantization strength (10 bits
    are a strength of 0.004). Without it a network mistakes the lattice of storage for noise.
    """
    n = len(noisy)
    bits = torch.randint(10, 17, (n, 1, 1, 1), generator=generator, device=noisy.device)
    levels = 2.0**bits - 1
    chosen = torch.rand(n, 1, 1, 1, generator=generator, device=noisy.device) < 1 / 3
    return torch.where(chosen, torch.round(noisy * levels) / levels, noisy)


def n_out_of_range(n: int) -> int:
    """Return how many of n crops are pushed out of range: 1 in 32, the first of the batch."""
    return n // 32


def push_out_of_range(noisy: Tensor, generator: torch.Generator) -> Tensor:
    """Push the first crops of a batch out of range: saturated, or black.

    Up to 1 pixel in 50 stays within. The label remains the true strengths: the network learns that
    such crops contain no information, and returns the prior mean.
    """
    n = n_out_of_range(len(noisy))
    up, share = torch.rand(2, n, 1, generator=generator, device=noisy.device)
    up = up < 0.5
    pixels = noisy[:n].flatten(1)
    within = 0.02 * share**3
    at = torch.where(up, within, 1 - within) * (pixels.shape[1] - 1)
    edge = pixels.sort(dim=1).values.gather(1, at.round().long())
    pushed = (pixels - edge + up.float()).clamp(0, 1).reshape_as(noisy[:n])
    return torch.cat([pushed, noisy[n:]])
