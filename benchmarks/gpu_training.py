"""Ten minutes on a GPU: train a network, fit its uncertainty, measure it.

    python benchmarks/gpu_training.py default OUT       (or paper-small, or vit-b)
    python benchmarks/gpu_training.py default OUT --seconds 540
    python benchmarks/gpu_training.py default OUT --dry-run

It needs only the package with its extra `train`. The cores render the scenes first. A short trial
from each start decides whether the network continues from the shipped weights or starts afresh; the
rest of the time is for the run itself. OUT gets the weights with their card (except for vit-b,
whose weights are large) and measured.json. That has the crops per second, counting every view of an
image, also as a share of the matrix rate; and accuracy and coverage on held-out scenes, beside
those of the shipped weights. A dry run does the same in a few steps, on any processor.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from cop_core.components import SDS_OF_90
from cop_core.network import NoiseViT, VitConfig, load_network
from cop_core.noise import Draws, Genome, get_prior
from cop_core.reading import Estimator, load_estimator
from cop_core.recipes import STAGES, Stage, TrainRecipe
from cop_core.training.evaluation import accuracy
from cop_core.training.loop import fabric_on
from cop_core.training.scene_bank import SceneBank
from cop_core.training.train_and_save import train_and_save

ASIDE_SEED = 1_000
WARM_STEPS, TIMED_STEPS = 20, 40
FOR_THE_END_S = 75.0
"""Time reserved for the uncertainty, the measurements and errors in the estimated rates."""
NO_STEPS = {f"{stage}_steps": 0 for stage in STAGES}


@dataclass(frozen=True)
class Plan:
    """A training, and the use of its time.

    Attributes
    ----------
    shares : dict
        Shares of the time of a run from scratch, by stage; a run that continues from weights is
        fine-tuning only.
    starts : tuple
        Initial weights, None for none; a trial of `trial_s` seconds each decides.
    aside : int
        Crops of held-out scenes to measure, for each prior.
    """

    recipe: TrainRecipe
    shares: dict[Stage, float]
    starts: tuple[str | None, ...] = (None,)
    trial_s: float = 40.0
    aside: int = 2048
    returns_weights: bool = True
    matrix: int = 8192
    steps: dict[Stage, int] = field(default_factory=dict)
    """Fixed numbers of steps, for a dry run."""

    def dry(self) -> Plan:
        """Return the same plan with few steps of few crops."""
        few = self.recipe.but(batch_size=12, scenes=16, uncertainty_crops=64, warmup_steps=1)
        steps = dict.fromkeys(self.shares, 2)
        return replace(self, recipe=few, aside=16, matrix=512, steps=steps)


FROM_NOTHING: dict[Stage, float] = {"contrastive": 0.1, "head": 0.02, "finetune": 0.88}
SMALL = TrainRecipe(
    batch_size=768,
    learning_rate=1.5e-3,
    decay_share=0.7,
    ema=0.998,
    alignment=1.0,
    scenes=8000,
    uncertainty_crops=32_768,
)
PLANS = {
    "default": Plan(
        SMALL.but(genomes=("microscopy",), prior="acquisition"), FROM_NOTHING, ("default", None)
    ),
    "paper-small": Plan(
        SMALL.but(genomes=("paper",), prior="benchmark", alignment=0.0),
        FROM_NOTHING,
        ("paper-small", None),
    ),
    "vit-b": Plan(
        SMALL.but(
            network="paper",
            genomes=("paper",),
            prior="paper",
            learning_rate=5e-4,
            alignment=0.0,
            batch_size=512,
        ),
        {"contrastive": 0.25, "head": 0.03, "finetune": 0.72},
        returns_weights=False,
    ),
}


class Runs:
    """Trainings of a plan that share their scenes, and their times."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.rates: dict[Stage, float] = {}
        recipe, size = plan.recipe, plan.recipe.scene_size
        few = max(3, recipe.scenes // 4)  # as many as for learning the uncertainty
        self._open("scenes", recipe.scenes, size, recipe.seed)
        self._open("unseen", few, size, recipe.seed + 1)
        self.aside = self._open("aside", few, size, ASIDE_SEED)

    def _open(self, name: str, scenes: int, size: int, seed: int) -> SceneBank:
        path = self.folder / f"{name}.npy"
        return SceneBank.open(path, scenes=scenes, size=size, seed=seed)

    def train(self, name: str, start: str | None, steps: dict[Stage, int], crops: int) -> Path:
        """Return the weights of a run, and record its rates."""
        folder = self.folder / name
        folder.mkdir()
        for bank in ("scenes.npy", "unseen.npy"):
            (folder / bank).hardlink_to(self.folder / bank)
        asked = NO_STEPS | {f"{stage}_steps": n for stage, n in steps.items()}
        recipe = self.plan.recipe.but(start=start, uncertainty_crops=crops, **asked)
        ends: list[float] = []  # of the steps

        def go_on() -> bool:
            ends.append(now())
            return False

        (path,) = train_and_save(recipe, folder, cancelled=go_on)
        for stage in STAGES:
            own, ends = ends[: recipe.steps(stage)], ends[recipe.steps(stage) :]
            if len(own) > 1:
                settled = own[min(WARM_STEPS, len(own) - 2) :]
                per_step = (settled[-1] - settled[0]) / (len(settled) - 1)
                self.rates[stage] = recipe.batch_size / per_step
        return path

    def steps_in(self, seconds: float, start: str | None) -> dict[Stage, int]:
        """Return how many steps of each stage fit into a time."""
        shares = self.plan.shares if start is None else {"finetune": 1.0}
        if self.plan.steps:
            return {stage: self.plan.steps[stage] for stage in shares}
        per_second = {s: self.rates[s] / self.plan.recipe.batch_size for s in shares}
        return {s: max(1, int(seconds * share * per_second[s])) for s, share in shares.items()}

    def measure_rates(self) -> None:
        """Time a few steps of every stage."""
        steps = self.plan.steps or dict.fromkeys(self.plan.shares, WARM_STEPS + TIMED_STEPS)
        self.train("rates", None, steps, crops=0)

    def chosen_start(self) -> tuple[str | None, dict[str, float]]:
        """Return the weights with the best trial, and the RMSE of every trial."""
        if len(self.plan.starts) == 1:
            return self.plan.starts[0], {}
        errors, paths = {}, {}
        for start in self.plan.starts:
            name = f"from {start or 'nothing'}"
            steps = self.steps_in(self.plan.trial_s, start)
            paths[name] = str(self.train(name, start, steps, crops=0))
            found = on_scenes(load_estimator(paths[name]), self.aside, self.plan, self.plan.aside)
            errors[name] = float(np.mean([prior["rmse"] for prior in found.values()]))
        return paths[min(errors, key=errors.__getitem__)], errors


def now() -> float:
    return time.perf_counter()


def on_scenes(estimator: Estimator, bank: SceneBank, plan: Plan, n: int) -> dict[str, dict]:
    """Return accuracy and coverage on n crops of held-out scenes, by prior."""
    genome = Genome.preset(plan.recipe.genomes[0])
    bank = bank.on(estimator.device)
    found = {}
    for prior in ("paper", "wide"):
        generator = torch.Generator(estimator.device).manual_seed(ASIDE_SEED)
        clean = bank.crops(n, estimator.network.config.crop, generator)
        put_in = get_prior(prior)(n, len(genome), generator)
        noisy = genome.apply(clean, put_in, Draws(generator))
        read = estimator.read(noisy[:, 0].cpu().numpy())
        truth = put_in.cpu().numpy().astype(np.float64)
        inside = np.abs(read.strengths - truth) <= SDS_OF_90 * read.uncertainty
        told = bool(np.isfinite(read.uncertainty).all())
        found[prior] = accuracy(truth, read.strengths, genome.components).to_dict() | {
            "coverage": float(inside.mean()) if told else None
        }
    return found


def matrix_rate(device: torch.device, side: int) -> float:
    """Return the operations per second of a bfloat16 matrix product of random numbers."""
    a, b = torch.randn(2, side, side, device=device, dtype=torch.bfloat16)
    for _ in range(3):
        a @ b
    begun, times = _settled(device), 10
    for _ in range(times):
        a @ b
    return 2 * side**3 * times / (_settled(device) - begun)


def _settled(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return now()


def operations_a_view(config: VitConfig) -> int:
    """Return the operations of layers and head for one crop, forward and backward."""
    network = NoiseViT(config)
    crops = network.prepare(torch.rand(1, 1, config.crop, config.crop))
    with FlopCounterMode(display=False) as counter:
        network(crops)
    return 3 * counter.get_total_flops()


def main(name: str, out: Path, seconds: float, dry_run: bool) -> None:
    begun = now()
    plan = PLANS[name].dry() if dry_run else PLANS[name]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(plan, Path(folder))  # before CUDA starts: the cores render in forked processes
        rendered = now() - begun
        device = fabric_on(plan.recipe.device).device
        peak = matrix_rate(device, plan.matrix)
        runs.measure_rates()
        start, trials = runs.chosen_start()
        steps = runs.steps_in(0.9 * (seconds - (now() - begun) - FOR_THE_END_S), start)
        weights = runs.train("run", start, steps, plan.recipe.uncertainty_crops)
        network, card = load_network(weights)
        work = operations_a_view(network.config)
        measured = {
            "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
            "scenes rendered, s": rendered,
            "trials, RMSE on scenes kept aside": trials,
            "steps": steps,
            "views a second": runs.rates,
            "matrix operations a second": peak,
            "share of the matrix rate": {s: r * work / peak for s, r in runs.rates.items()},
            "on scenes kept aside": on_scenes(
                load_estimator(weights), runs.aside, plan, plan.aside
            ),
            "the weights that ship, on the same": {
                shipped: on_scenes(load_estimator(shipped), runs.aside, plan, plan.aside)
                for shipped in plan.starts
                if shipped is not None
            },
            "run": card.training["runs"][-1],
            "all, s": now() - begun,
        }
        (out / "measured.json").write_text(json.dumps(measured, indent=1) + "\n")
        if plan.returns_weights:
            for part in (weights, weights.with_suffix(".json")):
                shutil.copy(part, out / f"{name}{part.suffix}")
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=PLANS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=540.0, help="for everything (540)")
    parser.add_argument("--dry-run", action="store_true", help="a few steps of few crops")
    asked = parser.parse_args()
    main(asked.network, asked.out, asked.seconds, asked.dry_run)
