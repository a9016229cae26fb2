"""How fast is a full profile, how much memory does it take, and how much faster is it than ViT-B?

    python benchmarks/speed.py

A 326-plane stack of 512x512 on the full grid; the networks in turns on the same crops in the same
run, for a fair ratio; memory of 1,000 planes and of 100, each in its own process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from record import record

from cop_core.bench import parts, seconds, write_stack
from cop_core.network import NoiseViT, VitConfig
from cop_core.reading import Estimator, load_estimator, profile
from cop_core.reading.blocks import BLOCK
from cop_core.stacks import open_stack


def ladder() -> dict[str, Estimator]:
    """Return networks by name; the paper's has no weights."""
    ours = load_estimator("default", device="cpu")
    untrained = NoiseViT(VitConfig.preset("paper")).eval()
    vit_b = Estimator(untrained, ours.card, torch.device("cpu"), torch.float32)
    return {"default": ours, "paper ViT-B": vit_b}


def size(estimator: Estimator) -> dict[str, int]:
    config = estimator.network.config
    parameters = sum(p.numel() for p in estimator.network.parameters())
    return {"layers": config.depth, "width": config.width, "parameters": parameters}


def crops_per_second(networks: dict[str, Estimator], crops: int = 64) -> dict[str, float]:
    """Return crops per second of each network, and the ratio of the default to the paper's."""
    x = np.random.default_rng(0).random((crops, 192, 192), dtype=np.float32)
    rates = {}
    for name, base in networks.items():
        # a block for each thread
        count = BLOCK * torch.get_num_threads() if name == "paper ViT-B" else crops
        for precision in (torch.float32, torch.bfloat16):
            estimator = replace(base, precision=precision)
            estimator.predict(x[:2])
            rate = count / seconds(lambda e=estimator, n=count: e.predict(x[:n], batch_size=crops))
            rates[f"{name} {str(precision).removeprefix('torch.')}"] = rate
    best = max(rates["default float32"], rates["default bfloat16"])
    rates["ratio to ViT-B float32, as its authors run it"] = best / rates["paper ViT-B float32"]
    rates["ratio at bfloat16"] = rates["default bfloat16"] / rates["paper ViT-B bfloat16"]
    rates["ratio at float32"] = rates["default float32"] / rates["paper ViT-B float32"]
    return {k: round(v, 2) for k, v in rates.items()}


def peak_mib(path: Path) -> float:
    """Return the peak memory of a process that profiles a stack, in MiB."""
    done = subprocess.run(
        [sys.executable, __file__, "--memory", str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def main() -> None:
    networks = ladder()
    measured: dict[str, object] = {
        "crops a second": crops_per_second(networks),
        "networks": {name: size(estimator) for name, estimator in networks.items()},
    }
    print(measured)
    with tempfile.TemporaryDirectory() as folder:
        for planes in (100, 326, 1000):
            write_stack(Path(folder) / f"{planes}.zarr", planes)
        profile(open_stack(Path(folder) / "100.zarr", z_step_um=4))  # compiles the checks of planes
        stack = open_stack(Path(folder) / "326.zarr", z_step_um=4)
        took = seconds(lambda: profile(stack), 1)
        rate = 326 * 9 / took
        alone = dict(zip(("statistics", "transformer"), parts(networks["default"]), strict=True))
        measured["326 planes of 512x512"] = {
            "seconds": round(took, 1),
            "planes a second": round(326 / took, 2),
            "crops a second": round(rate, 1),
            "crops a second of its parts alone": {k: round(v, 1) for k, v in alone.items()},
            "share of what these allow": round(rate * sum(1 / v for v in alone.values()), 3),
        }
        memory = {str(n): peak_mib(Path(folder) / f"{n}.zarr") for n in (100, 1000)}
        measured["peak memory MiB"] = {**memory, "ratio": memory["1000"] / memory["100"]}
    print(measured)
    print(record("speed", measured, networks["default"]))


def memory_of(path: Path) -> None:
    profile(open_stack(path, z_step_um=4))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        memory_of(Path(sys.argv[2]))
    else:
        main()
