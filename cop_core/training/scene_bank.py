"""A bank of clean scenes on disk, and crops of it as seen by a camera."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cop_core.errors import InputError
from cop_core.noise.scenes import random_scene

_CHUNK = 16
_MOST_PROCESSES = 61  # Windows can wait for no more at a time
_PHOTOGRAPH_SHARE = 0.06
_PHOTOGRAPHS = (
    "astronaut",
    "camera",
    "brick",
    "grass",
    "gravel",
    "moon",
    "rocket",
    "hubble_deep_field",
)
"""Images bundled with scikit-image, public domain or CC0."""


@dataclass(frozen=True)
class SceneBank:
    """Clean scenes.

    Attributes
    ----------
    images : ndarray of shape (n, size, size)
        Memory-mapped, full scale at 65535.
    device : torch.device
        Device on which crops are cut; devices other than the CPU hold a copy of all images.
    """

    images: npt.NDArray[np.uint16]
    device: torch.device = torch.device("cpu")  # noqa: RUF009

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        scenes: int,
        size: int,
        seed: int,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> SceneBank:
        """Open the bank at `path`, a ``.npy``; render it first if it does not exist.

        Parameters
        ----------
        path : Path
        scenes, size, seed : int
            Number and side of the scenes, and their common seed.
        progress : callable
            Called with the number of scenes done.

        Raises
        ------
        InputError
            If the file is not a bank of that many scenes of that size.
        """
        if not path.exists():
            _render(path, scenes, size, seed, progress)
        try:
            images = np.load(path, mmap_mode="c")  # PyTorch accepts no read-only arrays
        except (OSError, EOFError, ValueError) as error:
            raise InputError(f"not a bank of scenes ({error})", where=str(path)) from error
        if images.shape != (scenes, size, size) or images.dtype != np.uint16:
            raise InputError(
                f"a bank of {images.dtype} scenes of shape {images.shape}",
                where=str(path),
                advice="remove it, and it will be rendered again",
            )
        return cls(images)

    def on(self, device: torch.device) -> SceneBank:
        """Return the bank with its images on a device."""
        return replace(self, device=device)

    @cached_property
    def _counts(self) -> Tensor:
        """The images as signed 16-bit integers; PyTorch has few operations for unsigned ones."""
        return torch.from_numpy(self.images.view(np.int16)).to(self.device)

    def crops(self, n: int, size: int, generator: torch.Generator) -> Tensor:
        """Return n random crops (n, 1, size, size) in [0, 1]; the generator is on the device.

        Flips and right-angle turns only; tone, black level and bit depth vary from crop to crop.
        """
        room = self.images.shape[1] - size + 1
        sides = torch.tensor([[len(self.images)], [room], [room]], device=self.device)
        image, top, left = (_draw(generator, 3, n) * sides).long()
        windows = self._counts.unfold(1, size, 1).unfold(2, size, 1)
        counts = windows[image, top, left]  # (n, size, size)
        upside_down, mirrored, turned = _draw(generator, 3, n, 1, 1) < 0.5
        counts = torch.where(upside_down, counts.flip(1), counts)
        counts = torch.where(mirrored, counts.flip(2), counts)
        counts = torch.where(turned, counts.transpose(1, 2), counts)
        crops = (counts.int() & 0xFFFF).float().unsqueeze(1) / 65535
        return vary_exposure(crops, generator)


def vary_exposure(x: Tensor, generator: torch.Generator) -> Tensor:
    """Vary tone, black level and bit depth of clean crops (n, 1, h, w) in [0, 1].

    A third keeps its tone. The others get a gamma and a random black and white level, some of which
    lie outside [0, 1] and clip. A sixth is then made darker, by up to 50 times, as images of
    fluorescence often are: photon noise in them is faint. A quarter is rounded by an 8 to 12 bit
    converter before any noise.
    """
    n = len(x)
    u = _draw(generator, 8, n).reshape(8, n, 1, 1, 1)
    changed = u[0] > 0.35
    black = torch.where(u[1] < 0.5, 0.0, (u[1] - 0.5) * u[4])
    white = torch.where(u[2] < 0.5, 1.0, 0.05 + 1.25 * (u[2] - 0.5) * 2)
    toned = black + (white - black).clamp_min(0.03) * x.clamp_min(1e-6) ** torch.exp(
        1.4 * (u[3] - 0.5)
    )
    x = torch.where(changed, toned, x).clamp(0, 1)
    x = torch.where(u[6] < 1 / 6, x * 50 ** -u[7], x)
    levels = 2.0 ** torch.randint(8, 13, (n, 1, 1, 1), generator=generator, device=x.device) - 1
    return torch.where(u[5] < 0.25, torch.round(x * levels) / levels, x)


def _draw(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator, device=generator.device)


def _render(path: Path, scenes: int, size: int, seed: int, progress: Callable[[int], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part.npy")
    bank = np.lib.format.open_memmap(beside, mode="w+", dtype=np.uint16, shape=(scenes, size, size))
    jobs = [(seed, start, min(_CHUNK, scenes - start), size) for start in range(0, scenes, _CHUNK)]
    with ProcessPoolExecutor(min(os.cpu_count() or 1, _MOST_PROCESSES)) as pool:
        done = 0
        for block in pool.map(_render_chunk, jobs):
            bank[done : done + len(block)] = block
            done += len(block)
            progress(done)
    bank.flush()
    del bank  # Windows cannot rename an open file
    beside.replace(path)


def _render_chunk(job: tuple[int, int, int, int]) -> npt.NDArray[np.uint16]:
    seed, start, count, size = job
    return np.stack(
        [_one(np.random.default_rng((seed, i)), size) for i in range(start, start + count)]
    )


def _one(rng: np.random.Generator, size: int) -> npt.NDArray[np.uint16]:
    photograph = rng.random() < _PHOTOGRAPH_SHARE
    scene = _photograph(rng, size) if photograph else random_scene(rng, size)
    return np.round(np.clip(scene, 0, 1) * 65535).astype(np.uint16)


def _photograph(rng: np.random.Generator, size: int) -> npt.NDArray[Any]:
    """Return a window of an openly licensed image, averaged down by 1.6 or more to reduce noise."""
    from skimage import color, data, transform

    image = getattr(data, str(rng.choice(_PHOTOGRAPHS)))()
    grey = color.rgb2gray(image) if image.ndim == 3 else image / 255.0
    most = min(grey.shape)
    side = int(rng.integers(min(round(1.6 * size), most), most + 1))
    y = rng.integers(grey.shape[0] - side + 1)
    x = rng.integers(grey.shape[1] - side + 1)
    window = grey[y : y + side, x : x + side]
    return np.asarray(transform.resize(window, (size, size), anti_aliasing=True))
