"""The trained network as a function from crops to strengths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cop_core.errors import CopError, InputError
from cop_core.network import Card, NoiseViT, load_network, locate, packaged
from cop_core.reading.blocks import block_pool, filled
from cop_core.recipes import Precision, ReadingOptions
from cop_core.records import WeightsUsed

DEFAULT_BATCH = 32


class CropReading(NamedTuple):
    """Readings of n crops.

    Attributes
    ----------
    strengths : ndarray of shape (n, components)
        Strengths; rows sum to 1.
    uncertainty : ndarray of shape (n, components)
        Predictive SD of every strength: for crops like those in training, 90 % of the true
        strengths lie within 1.645 SD. NaN if the weights do not provide it.
    strangeness : ndarray of shape (n,)
        Distance from the training data in the network's features: above 1 for one training crop in
        a hundred. NaN if the weights do not provide it.
    """

    strengths: npt.NDArray[np.float64]
    uncertainty: npt.NDArray[np.float64]
    strangeness: npt.NDArray[np.float64]

    def part(self, start: int, stop: int) -> CropReading:
        """Return the readings of some of the crops."""
        return CropReading(*(values[start:stop] for values in self))

    @classmethod
    def joined(cls, parts: Iterable[CropReading]) -> CropReading:
        """Return the readings of all parts, in their order."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))


@dataclass(frozen=True)
class Estimator:
    """A network with its card, on a device.

    Attributes
    ----------
    network : NoiseViT
        In evaluation mode.
    card : Card
        Describes its training; names its outputs.
    device : torch.device
        Where it runs.
    precision : torch.dtype
        Precision of the transformer; the statistics before it are always float32.
    asked : ReadingOptions or None
        Weights (a packaged name or an absolute path), device and precision with which it was
        loaded; None if it was not loaded.
    """

    network: NoiseViT
    card: Card
    device: torch.device
    precision: torch.dtype
    asked: ReadingOptions | None = None

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the strengths, clean last."""
        return self.card.components

    @property
    def used(self) -> WeightsUsed:
        """The weights as stated in a report."""
        genome = self.card.genome
        return WeightsUsed(
            self.card.name, self.card.sha256, genome.name, genome.order, genome.fingerprint
        )

    def read_with(self, reading: ReadingOptions) -> ReadingOptions:
        """Return reading options with the weights, device and precision of this estimator."""
        own = self.asked or ReadingOptions(weights="")
        return reading.but(weights=own.weights, device=own.device, precision=own.precision)

    def warm_up(self) -> bool:
        """Load, in the background, the code for which the first crops would wait.

        Returns
        -------
        bool
            Whether the code has to be compiled, which takes a few seconds once after installation.
        """
        if self.device.type != "cpu" or self.network.config.stem != "statistics":
            return False
        from cop_core.network import compiled_statistics

        new = compiled_statistics.is_new()
        block_pool().submit(compiled_statistics.warm_up)
        return new

    def predict(
        self, crops: npt.ArrayLike, *, batch_size: int = DEFAULT_BATCH
    ) -> npt.NDArray[np.float64]:
        """Return the strengths of `read` alone, shape (n, components)."""
        return self.read(crops, batch_size=batch_size).strengths

    def read(self, crops: npt.ArrayLike, *, batch_size: int = DEFAULT_BATCH) -> CropReading:
        """Read the strengths of crops and their uncertainty.

        Parameters
        ----------
        crops : array of shape (n, 192, 192) or (n, 192, 192, 3)
            Crops in [0, 1]. The default network reads each colour channel and returns the mean; the
            uncertainty of a colour crop is the mean over its channels, its strangeness that of the
            strangest channel.
        batch_size : int
            Crops at a time. The numbers of a crop depend neither on it nor on the other crops: to
            the last bit on the CPU, elsewhere to 1e-5 in float32. It is halved for as long as the
            device runs out of memory; at 1, the CPU takes over.

        Returns
        -------
        CropReading
            Strengths; rows sum to 1.

        Raises
        ------
        InputError
            If the shape does not fit, values are not finite or outside [0, 1], or `batch_size`
            is less than 1.
        """
        if batch_size < 1:
            raise InputError(f"the batch size cannot be {batch_size}", advice="use 1 or more")
        x = self.as_input(crops)
        by_channel = x.shape[1] == 3 and self.network.config.channels == 1
        if by_channel:
            values = self._in_batches(x.reshape(-1, 1, *x.shape[2:]), batch_size)
            values = values.reshape(len(x), 3, values.shape[1])
            values = torch.cat([values[..., :-1].mean(1), values[..., -1:].amax(1)], dim=-1)
        else:
            values = self._in_batches(x, batch_size)
        table = values.numpy().astype(np.float64)
        strengths, sd = np.split(table[:, :-1], 2, axis=1)
        total = strengths.sum(axis=1, keepdims=True)
        return CropReading(strengths / total, sd, table[:, -1])

    def noise_sd(
        self, crops: npt.ArrayLike, *, batch_size: int = DEFAULT_BATCH
    ) -> npt.NDArray[np.float64]:
        """Read the SD of the random noise of crops, amplifier and shot noise combined.

        Estimators of Gaussian noise return this SD. In a crop with little contrast the two noises
        look the same, and their sum is known more accurately than either.

        Parameters
        ----------
        crops : array of shape (n, 192, 192) or (n, 192, 192, 3)
            Crops in [0, 1].
        batch_size : int
            As for `read`.

        Returns
        -------
        ndarray of shape (n,)
            SD at the mean brightness x of the crop, as a share of full scale: the root of
            (g^2 + s^2 x) / 4 for Gaussian strength g and Poisson strength s.

        Raises
        ------
        InputError
            If the strengths of the weights' genome are not SDs, or as for `read`.
        """
        if not self.used.physical:
            raise InputError(
                f"strengths of the weights {self.card.name!r} are not SDs",
                advice="use weights of the microscopy genome, such as default",
            )
        strengths = self.predict(crops, batch_size=batch_size)
        g, s = (strengths[:, self.components.index(c)] for c in ("gaussian", "poisson"))
        pixels = np.asarray(crops, np.float64)
        x: npt.NDArray[np.float64] = pixels.mean(axis=tuple(range(1, pixels.ndim)))
        return np.sqrt(g**2 + s**2 * x) / 2

    def as_input(self, crops: npt.ArrayLike) -> Tensor:
        """Return crops as input of the network, (n, 1 or 3, 192, 192).

        Parameters
        ----------
        crops : array of shape (n, 192, 192) or (n, 192, 192, 3)
            Crops in [0, 1].

        Raises
        ------
        InputError
            If the shape does not fit, values are not finite or outside [0, 1].
        """
        x = np.asarray(crops, dtype=np.float32)
        side = self.network.config.crop
        grey = x.ndim == 3 and x.shape[1:] == (side, side)
        colour = x.ndim == 4 and x.shape[1:] == (side, side, 3)
        if not (grey or colour):
            raise InputError(
                f"crops of shape {x.shape}",
                advice=f"use (n, {side}, {side}) or (n, {side}, {side}, 3)",
            )
        if x.size and not (x.min() >= 0 and x.max() <= 1):
            raise InputError("crops outside [0, 1] or not finite", advice="normalise them first")
        tensor = torch.from_numpy(np.require(x, requirements=["C", "W"]))
        return tensor.unsqueeze(1) if grey else tensor.permute(0, 3, 1, 2)

    def _in_batches(self, x: Tensor, batch_size: int) -> Tensor:
        out = [torch.empty(0, 2 * self.network.config.outputs + 1)]
        device, start, size = self.device, 0, batch_size
        while start < len(x):
            try:
                out.append(self._values(x[start : start + size], device))
                start += size
            except RuntimeError as error:
                if not _is_of_memory(error):
                    raise
                if device.type == "cpu":
                    raise CopError(
                        "there is not enough memory for a few crops", advice="close other programs"
                    ) from error
                device = torch.device("cpu") if size == 1 else device
                size = batch_size if size == 1 else size // 2
        return torch.cat(out)

    def _values(self, x: Tensor, device: torch.device) -> Tensor:
        """Return strengths, their SD and the strangeness of crops, (n, 2 outputs + 1)."""
        if self.network.head.weight.device != device:  # querying each of its modules takes 8 ms
            self.network.to(device)
        if device.type != "cpu":
            return self._read(x.to(device)).cpu()
        return block_pool().map(self._read, x)

    @torch.inference_mode()
    def _read(self, x: Tensor) -> Tensor:
        low, on_cpu = self.precision != torch.float32, x.device.type == "cpu"
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=low):
            prepared = self.network.prepare(x)
            block = filled(prepared) if on_cpu else prepared
            features = self.network.forward_features(block)[: len(x)]
            # on the CPU row by row: in small products a row's position affects the last digit
            rows = torch.split(features, 1) if on_cpu else (features,)
            return torch.cat([self._of_features(row) for row in rows])

    def _of_features(self, features: Tensor) -> Tensor:
        strengths = torch.softmax(self.network.forward_head(features).float(), -1)
        head = self.network.uncertainty
        if head is None:
            unknown = strengths.new_full((len(strengths), strengths.shape[1] + 1), torch.nan)
            return torch.cat([strengths, unknown], dim=1)
        with torch.autocast(features.device.type, enabled=False):
            sd, strangeness = head.sd(features, strengths), head.strangeness(features)
        return torch.cat([strengths, sd, strangeness.unsqueeze(1)], dim=1)


def _is_of_memory(error: RuntimeError) -> bool:
    """Return whether a device ran out of memory; for the CPU and Apple's only the message tells."""
    words = ("can't allocate memory", "out of memory")
    return isinstance(error, torch.OutOfMemoryError) or any(w in str(error) for w in words)


def load_estimator(
    name: str | Path = "default", *, device: str = "auto", precision: Precision = "auto"
) -> Estimator:
    """Load packaged weights by name, or from a path.

    Parameters
    ----------
    name : str or Path
        ``"default"`` (microscopy genome), ``"paper-small"`` (the paper's genome), or a path to
        safetensors with a card beside them.
    device : str
        ``"auto"`` (CUDA, MPS, else CPU) or a torch device.
    precision : {"auto", "float32", "bfloat16"}
        ``auto`` selects bfloat16 on NVIDIA GPUs and CPUs that multiply it natively.

    Raises
    ------
    InputError
        If weights or device do not exist, or the weights do not match their card.
    """
    chosen = _device(device)
    path = locate(name)
    network, card = _load_cached(path, path.stat().st_mtime_ns)
    weights = str(name) if str(name) in packaged() else str(path.absolute())
    asked = ReadingOptions(weights=weights, device=device, precision=precision)
    return Estimator(network.to(chosen), card, chosen, _precision(precision, chosen), asked)


def estimator_for(reading: ReadingOptions) -> Estimator:
    """Load the weights that a reading requires."""
    return load_estimator(reading.weights, device=reading.device, precision=reading.precision)


@lru_cache(maxsize=4)
def _load_cached(path: Path, _changed_ns: int) -> tuple[NoiseViT, Card]:
    return load_network(path)


def _device(name: str) -> torch.device:
    if name == "auto":
        accelerator: Any = torch.accelerator.current_accelerator(check_available=True)
        return accelerator if accelerator is not None else torch.device("cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # some devices exist but cannot hold numbers
    except (AssertionError, ImportError, RuntimeError) as error:
        raise InputError(
            f"device {name!r} is not available ({str(error).splitlines()[0]})",
            advice="use auto or cpu",
        ) from error
    return device


def multiplies_bfloat16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 natively; others take up to 80 times as long."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def _precision(name: Precision, device: torch.device) -> torch.dtype:
    if name == "auto":
        return torch.bfloat16 if multiplies_bfloat16(device) else torch.float32
    return torch.float32 if name == "float32" else torch.bfloat16
