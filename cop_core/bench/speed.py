"""Crops and planes per second, also as a share of the processor's own rate."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import zarr
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from cop_core._version import __version__
from cop_core.machine import processor
from cop_core.reading import Estimator, load_estimator, profile
from cop_core.reading.blocks import BLOCK, block_pool
from cop_core.reading.plane_blocks import versions
from cop_core.recipes import BenchRecipe
from cop_core.stacks import open_stack

_CROPS: Final = {"cpu": 128, "cuda": 2048}
"""Crops per measurement: a second or two."""
_BATCH: Final = {"cpu": 64, "cuda": 512}
_BLOCKS: Final = 16
_SIDE: Final = {"cpu": 1024, "cuda": 8192}
"""Sides of the matrices multiplied."""


@dataclass(frozen=True)
class Speed:
    """Speed of one device.

    Attributes
    ----------
    device : str
        PyTorch's name of it, with the name of the card.
    crops_per_s : float
        Crops of 192x192 read, by statistics and transformer together.
    planes_per_s : float
        Planes of the recipe's stack, from the file to strengths.
    statistics_crops_per_s, transformer_crops_per_s : float
        Crops through each of the two alone.
    share_of_parts : float
        Crops per second in the reading of the stack, as a share of the rate that statistics and
        transformer would reach one after the other.
    gflop_per_crop : float
        Operations of the transformer, in billions.
    matrix_gflops : float
        Billion operations per second in the product of two large matrices.
    share_of_matrix_rate, transformer_share_of_matrix_rate : float
        Share of `matrix_gflops` that the reading of crops, and the transformer alone, reach.
    peak_memory_mib : float or None
        Of the process, or on the graphics card; None if the system does not report it.
    """

    device: str
    precision: str
    crops_per_s: float
    planes_per_s: float
    statistics_crops_per_s: float
    transformer_crops_per_s: float
    share_of_parts: float
    gflop_per_crop: float
    matrix_gflops: float
    share_of_matrix_rate: float
    transformer_share_of_matrix_rate: float
    peak_memory_mib: float | None


def measure_speed(recipe: BenchRecipe, tell: Callable[[str], None]) -> list[Speed]:
    """Measure the speed of the processor and, if PyTorch finds one, of the graphics card.

    Parameters
    ----------
    recipe : BenchRecipe
        Only its device is measured, unless that is ``auto``.
    tell : callable
        Called with the name of each measurement.

    Raises
    ------
    InputError
        If weights or device do not exist.
    """
    known = [load_estimator(recipe.weights, device=recipe.device, precision=recipe.precision)]
    if recipe.device == "auto" and known[0].device.type != "cpu":
        known.insert(0, load_estimator(recipe.weights, device="cpu", precision=recipe.precision))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.zarr"
        write_stack(path, recipe.planes, recipe.side)
        return [_speed(estimator, path, tell) for estimator in known]


def to_dict(recipe: BenchRecipe, speeds: list[Speed]) -> dict[str, Any]:
    """Return speeds, the recipe and the machine, in JSON types."""
    return {
        "recipe": recipe.plain(),
        "machine": {"processor": processor(), "threads": torch.get_num_threads()},
        "versions": {"napari-cop": __version__, **versions()},
        "devices": [asdict(speed) for speed in speeds],
    }


def write_stack(path: Path, planes: int, side: int = 512) -> None:
    """Write a stack of shot noise on a gradient, with one chunk per plane."""
    rng = np.random.default_rng(0)
    array = zarr.create_array(path, shape=(planes, side, side), chunks=(1, side, side), dtype="u2")
    mean = 20 + 200 * np.linspace(0, 1, side)[None] * np.linspace(0.2, 1, side)[:, None]
    for i in range(planes):
        array[i] = rng.poisson(mean * np.exp(-i / planes))


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest time of several runs of a function without arguments."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def parts(estimator: Estimator) -> tuple[float, float]:
    """Return crops per second of the statistics alone and of the transformer alone."""
    network, device = estimator.network, estimator.device
    n = BLOCK if device.type == "cpu" else _BATCH["cuda"]
    crops = torch.rand(n, 1, 192, 192, device=device)
    low = estimator.precision != torch.float32
    with torch.inference_mode():
        prepared = network.prepare(crops)

    @torch.inference_mode()
    def gather(_: int) -> object:
        return network.prepare(crops)

    @torch.inference_mode()
    def transform(_: int) -> Tensor:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            return network.forward_head(network.forward_features(prepared))

    rates = [_BLOCKS * n / _seconds_each(work, device, _BLOCKS) for work in (gather, transform)]
    return rates[0], rates[1]


def _speed(estimator: Estimator, path: Path, tell: Callable[[str], None]) -> Speed:
    device, kind = estimator.device, estimator.device.type
    if kind == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    tell(f"crops, {device}")
    crops_per_s, (statistics, transformer) = _crops_per_s(estimator), parts(estimator)
    tell(f"planes, {device}")
    stack = open_stack(path, z_step_um=1)
    start = time.perf_counter()
    read = profile(stack, estimator=estimator, batch_size=_of(_BATCH, device))
    took = time.perf_counter() - start
    n_crops = sum(plane.n_crops for plane in read.planes)
    gflop, matrix = _gflop_per_crop(estimator), _matrix_gflops(device, estimator.precision)
    return Speed(
        device=f"{device} ({torch.cuda.get_device_name(device)})" if kind == "cuda" else kind,
        precision=str(estimator.precision).removeprefix("torch."),
        crops_per_s=crops_per_s,
        planes_per_s=len(stack) / took,
        statistics_crops_per_s=statistics,
        transformer_crops_per_s=transformer,
        share_of_parts=n_crops / took * (1 / statistics + 1 / transformer),
        gflop_per_crop=gflop,
        matrix_gflops=matrix,
        share_of_matrix_rate=crops_per_s * gflop / matrix,
        transformer_share_of_matrix_rate=transformer * gflop / matrix,
        peak_memory_mib=_peak_memory_mib(device),
    )


def _of(choices: dict[str, int], device: torch.device) -> int:
    return choices["cpu" if device.type == "cpu" else "cuda"]


def _crops_per_s(estimator: Estimator) -> float:
    n, batch = _of(_CROPS, estimator.device), _of(_BATCH, estimator.device)
    crops = np.random.default_rng(0).random((n, 192, 192), dtype=np.float32)
    estimator.read(crops[:batch], batch_size=batch)  # compiles and fills caches
    return n / seconds(lambda: estimator.read(crops, batch_size=batch))


def _gflop_per_crop(estimator: Estimator) -> float:
    """Return the operations of the transformer on one crop, counted by PyTorch."""
    network = estimator.network
    crop = torch.rand(1, 1, 192, 192, device=estimator.device)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.forward_head(network.forward_features(network.prepare(crop)))
    return float(counter.get_total_flops()) / 1e9


def _matrix_gflops(device: torch.device, precision: torch.dtype) -> float:
    """Return the rate of matrix products: on the processor, one per thread at the same time."""
    side = _of(_SIDE, device)
    matrix = torch.rand(side, side, device=device, dtype=precision)
    n = torch.get_num_threads() if device.type == "cpu" else 4
    return n * 2 * side**3 / _seconds_each(lambda _: matrix @ matrix, device, n) / 1e9


def _seconds_each(work: Callable[[int], object], device: torch.device, n: int) -> float:
    """Return the time of n runs: on the processor, on as many threads as readings use."""

    def on_card() -> None:
        for i in range(n):
            work(i)
        torch.accelerator.synchronize(device)

    on_card() if device.type != "cpu" else work(0)
    return seconds(on_card if device.type != "cpu" else lambda: block_pool().each(work, range(n)))


def _peak_memory_mib(device: torch.device) -> float | None:
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 2**20
    if device.type != "cpu" or sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
